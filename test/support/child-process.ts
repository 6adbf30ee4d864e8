import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** A start on a busy machine, with its migrations. */
const LISTENS_WITHIN_MS = 120_000;
const REGISTER = join(__dirname, '../../scripts/register-swc.cjs');

export interface TestProcess {
  readonly child: ChildProcess;
  /** Lines of its output so far, both streams. */
  readonly lines: string[];
  /** Resolves with the first line, past or coming, that passes; rejects when the process ends without it. */
  line(passes: (line: string) => boolean): Promise<string>;
  /** Resolves with its exit code, or null where a signal ended it, after all its output was read. */
  ended: Promise<number | null>;
  /** Resolves with the port that it says it listens on, past or coming; rejects when it ends or lets pass the time without. */
  listening(withinMs?: number): Promise<number>;
  kill(): Promise<void>;
}

/** Runs a TypeScript file in a process of its own. */
export function startProcess(file: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): TestProcess {
  const child = spawn(process.execPath, ['-r', REGISTER, file, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const notify = () => waiting.forEach((look) => look());
  let port: number | undefined;
  child.on('message', (told) => {
    port = (told as { listening?: number }).listening ?? port;
    notify();
  });
  for (const stream of [child.stdout, child.stderr] as Readable[]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      notify();
    });
  }
  let over = false;
  const ended = once(child, 'close').then(([code]) => {
    over = true;
    setImmediate(notify);
    return code as number | null;
  });
  const told = <T>(find: () => T | undefined, what: string, withinMs?: number) =>
    new Promise<T>((resolve, reject) => {
      const end = (why: string) => {
        waiting.delete(look);
        clearTimeout(timer);
        reject(new Error(`The process ${why} ${what}. It said:\n${lines.slice(-50).join('\n')}`));
      };
      const look = () => {
        const found = find();
        if (found === undefined) return over ? end('ended without') : undefined;
        waiting.delete(look);
        clearTimeout(timer);
        resolve(found);
      };
      const timer = withinMs === undefined ? undefined : setTimeout(() => end('goes on without'), withinMs);
      waiting.add(look);
      look();
    });
  const line = (passes: (line: string) => boolean) => told(() => lines.find(passes), 'the expected line');
  const listening = (withinMs = LISTENS_WITHIN_MS) => told(() => port, 'saying where it listens', withinMs);
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { child, lines, line, listening, ended, kill };
}
