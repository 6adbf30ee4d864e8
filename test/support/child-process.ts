import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const REGISTER = join(__dirname, '../../scripts/register-swc.cjs');

export interface TestProcess {
  readonly child: ChildProcess;
  /** Lines of its output so far, both streams. */
  readonly lines: string[];
  /** Resolves with the first line, past or coming, that passes; rejects when the process ends without it. */
  line(passes: (line: string) => boolean): Promise<string>;
  /** Resolves with its exit code, or null where a signal ended it, after all its output was read. */
  ended: Promise<number | null>;
  kill(): Promise<void>;
}

/** Runs a TypeScript file in a process of its own. */
export function startProcess(file: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): TestProcess {
  const child = spawn(process.execPath, ['-r', REGISTER, file, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const notify = () => waiting.forEach((look) => look());
  for (const stream of [child.stdout, child.stderr]) {
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
  const line = (passes: (line: string) => boolean) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = lines.find(passes);
        if (found === undefined && !over) return;
        waiting.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`The process ended without the expected line. It said:\n${lines.join('\n')}`));
      };
      waiting.add(look);
      look();
    });
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { child, lines, line, ended, kill };
}
