import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { startProcess } from '../../test/support/child-process';
import { startCluster, type Cluster } from '../../test/support/service-cluster';

/** What one round of an arm took. */
export interface Figures {
  readonly perSecond: number;
  readonly p50Ms: number;
}

export interface Rival {
  readonly url: string;
  run(calls: number, concurrency: number): Promise<Figures>;
  kill(): Promise<void>;
}

/** A program of `bench/rivals` in a process of its own. */
export async function startRival(file: string, env: Readonly<Record<string, string>> = {}): Promise<Rival> {
  const child = startProcess(join(__dirname, '../rivals', file), [], {
    NODE_ENV: 'production',
    PREFIX: `bench-${randomUUID()}`,
    ...env,
  });
  const url = `http://127.0.0.1:${await child.listening()}`;
  return {
    url,
    kill: () => child.kill(),
    run: (calls, concurrency) => json<Figures>(`${url}/run?calls=${calls}&concurrency=${concurrency}`),
  };
}

/** The service with the routes of `calling-service.ts`. */
export function startCallers(options: {
  processes: number;
  databaseUrl?: string;
  redisUrl?: string;
  env?: Readonly<Record<string, string>>;
}): Promise<Cluster> {
  return startCluster({
    entry: join(__dirname, 'calling-service.ts'),
    ...options,
    env: { WORKERS: 'false', ...options.env },
  });
}

export function ask<T>(cluster: Cluster, member: number, path: string, body: object = {}): Promise<T> {
  return json<T>(`${cluster.members[member]!.url}/bench/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

export async function json<T>(url: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(600_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} was answered ${response.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text) as T;
}
