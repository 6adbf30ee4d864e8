import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { until } from './http-client';

export interface ServiceProcess {
  readonly url: string;
  /** What it has written so far, bounded. */
  log(): string;
  stop(): Promise<void>;
}

const LOG_MOST = 50 * 1024 * 1024;
const READY_WITHIN_MS = 120_000;

/** Starts the service as it is started for real: its own process, settings from the environment. */
export async function startService(env: Readonly<Record<string, string>>, port: number): Promise<ServiceProcess> {
  const url = `http://127.0.0.1:${port}`;
  const chunks: string[] = [];
  let size = 0;
  const child = spawn(process.execPath, [join(__dirname, '..', 'dist', 'main.js')], {
    env: { ...inherited(), ...env, PORT: String(port), PUBLIC_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      size += chunk.length;
      if (size <= LOG_MOST) chunks.push(chunk);
    });
  }
  let ended: number | null | undefined;
  const exit = new Promise<void>((resolve) => {
    child.once('exit', (code) => {
      ended = code;
      resolve();
    });
  });
  const ready = await until(
    () =>
      fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) }).then(
        (response) => response.ok,
        () => false,
      ),
    (ok) => ok || ended !== undefined,
    READY_WITHIN_MS,
  );
  const stop = async () => {
    if (ended === undefined) child.kill('SIGTERM');
    await exit;
  };
  if (!ready) {
    await stop();
    throw new Error(`the service did not start:\n${chunks.join('').slice(-4_000)}`);
  }
  return { url, log: () => chunks.join(''), stop };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The machine's own variables; the demo's settings are set one by one. */
function inherited(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'LANG', 'NODE_OPTIONS'];
  // eslint-disable-next-line no-restricted-syntax -- the environment of a child process, not a setting of ours
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}
