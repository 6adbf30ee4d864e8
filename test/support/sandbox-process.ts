import { join } from 'node:path';
import { startProcess } from './child-process';

export interface LedgerEntry {
  readonly seq: number;
  /** ms since the epoch. */
  readonly at: number;
  readonly endpoint: string;
  readonly account?: string;
  /** Without its query. */
  readonly path?: string;
  /** The first digits of its hash. */
  readonly token?: string;
  readonly status: number | null;
  readonly outcome: string;
  readonly fault?: string;
  readonly idempotencyKey?: string;
  readonly durationMs?: number;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface LedgerQuery {
  readonly provider?: string;
  readonly endpoint?: string;
  readonly account?: string;
  readonly since?: number;
}

/** The sandbox providers in a process of their own, driven and questioned over HTTP. */
export interface SandboxProcess {
  readonly urls: Readonly<Record<string, string> & { control: string }>;
  /** Settings that send the service there. */
  readonly env: Readonly<Record<string, string>>;
  /** Requests that arrived, oldest first. */
  requests(query?: LedgerQuery): Promise<readonly LedgerEntry[]>;
  lastSeq(): Promise<number>;
  post<T = unknown>(path: string, body?: object): Promise<T>;
  get<T = unknown>(path: string): Promise<T>;
  fault(spec: Readonly<Record<string, unknown>>): Promise<{ id: string }>;
  clearFaults(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSandboxProcess(args: readonly string[] = []): Promise<SandboxProcess> {
  const child = startProcess(join(__dirname, '../../sandbox/main.ts'), ['--auto-consent', 'allow', ...args]);
  const { urls, env } = JSON.parse(await child.line((line) => line.startsWith('{'))) as Pick<SandboxProcess, 'urls' | 'env'>;
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(`${urls.control}${path}`, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(120_000),
    });
    if (!response.ok) throw new Error(`The sandbox refused ${method} ${path}: ${(await response.text()).slice(0, 200)}`);
    return (await response.json()) as T;
  };
  const ledger = (query: Readonly<Record<string, string | number | undefined>>) => {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    return call<{ lastSeq: number; entries: LedgerEntry[] }>(
      'GET',
      `/ledger?${new URLSearchParams(given.map(([key, value]): [string, string] => [key, String(value)])).toString()}`,
    );
  };
  return {
    urls,
    env,
    requests: async (query = {}) => (await ledger({ kind: 'request', limit: 1_000_000, ...query })).entries,
    lastSeq: async () => (await ledger({ limit: 1 })).lastSeq,
    post: (path, body = {}) => call('POST', path, body),
    get: (path) => call('GET', path),
    fault: (spec) => call('POST', '/faults', spec),
    clearFaults: async () => void (await call('DELETE', '/faults')),
    stop: async () => {
      child.child.kill('SIGTERM');
      await child.ended;
    },
  };
}
