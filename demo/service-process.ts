import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';

export interface ServiceProcess {
  /** Resolves with its address once it is ready. @throws StartFailure */
  readonly ready: Promise<string>;
  /** What it has written so far, bounded. */
  log(): string;
  stop(): Promise<void>;
}

const LOG_MOST = 50 * 1024 * 1024;
const READY_WITHIN_MS = 120_000;

/** Its message is what the service said: sentences for the person who started it. */
export class StartFailure extends Error {}

/**
 * Starts the service as it is started for real: its own process, settings from the environment. It can be stopped before it is ready.
 * @param port '0': one that is free
 */
export function startService(env: Readonly<Record<string, string>>, port: string): ServiceProcess {
  const chunks: string[] = [];
  let size = 0;
  const child = spawn(process.execPath, [join(__dirname, '..', 'dist', 'main.js')], {
    env: { ...inherited(), ...env, PORT: port, ...(port === '0' ? {} : { PUBLIC_URL: `http://127.0.0.1:${port}` }) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [child.stdout, child.stderr] as Readable[]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      size += chunk.length;
      if (size <= LOG_MOST) chunks.push(chunk);
    });
  }
  const closed = once(child, 'close');
  const stop = async () => {
    child.kill('SIGTERM');
    await closed;
  };
  const log = () => chunks.join('');
  return { ready: whenReady(child, closed, { log, stop }), log, stop };
}

async function whenReady(child: ChildProcess, closed: Promise<unknown>, { log, stop }: Pick<ServiceProcess, 'log' | 'stop'>) {
  const deadline = AbortSignal.timeout(READY_WITHIN_MS);
  try {
    // Its own word, not an answer on the port: that may be a stranger's.
    const [told] = (await Promise.race([once(child, 'message', { signal: deadline }), closed.then(() => [])])) as [{ listening: number }?];
    if (!told) throw new StartFailure('it ended');
    const url = `http://127.0.0.1:${told.listening}`;
    while (!(await isReady(url, deadline))) await setTimeout(100);
    return url;
  } catch {
    await stop();
    throw new StartFailure(`The service did not start:\n${log().slice(-4_000)}`);
  }
}

/** @throws when the deadline is over */
function isReady(url: string, deadline: AbortSignal): Promise<boolean> {
  deadline.throwIfAborted();
  return fetch(`${url}/health/ready`, { signal: AbortSignal.any([deadline, AbortSignal.timeout(2_000)]) }).then(
    (response) => response.ok,
    () => false,
  );
}

/** The machine's own variables; the demo's settings are set one by one. */
function inherited(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'LANG', 'NODE_OPTIONS'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}
