import { join } from 'node:path';
import type { Services } from '../../bench/lib/benchmark';
import { atEnd } from '../faults/lib/clean-up';
import type { Stage } from '../faults/lib/fault';
import { startSandboxProcess, type SandboxProcess } from './sandbox-process';
import { startCluster, type Cluster } from './service-cluster';

export interface Trial {
  readonly sandbox: SandboxProcess;
  readonly cluster: Cluster;
}

export interface TrialOptions {
  /** Default: three on a server, one on the embedded database. */
  readonly processes?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly envOf?: (index: number) => Readonly<Record<string, string>>;
  readonly sandboxArgs?: readonly string[];
  /** TypeScript file of the service's process. */
  readonly entry?: string;
  /** Syncs, webhooks and cron. Default false: nothing goes out that was not asked for. */
  readonly workers?: boolean;
  /** Whether the sandbox sends its webhooks to the service. */
  readonly webhooks?: boolean;
}

/** The service and the sandbox in processes of their own, until the row has ended. */
export async function onTrial<T>(stage: Stage, services: Services, options: TrialOptions, run: (trial: Trial) => Promise<T>): Promise<T> {
  const sandbox = await startSandboxProcess(options.sandboxArgs);
  atEnd(() => sandbox.stop());
  const cluster = await startCluster({
    entry: options.entry ?? join(__dirname, 'processes/service-with-probe.ts'),
    processes: options.processes ?? 3,
    ...(stage === 'server' && { databaseUrl: services.databaseUrl, redisUrl: services.redisUrl }),
    env: { ...sandbox.env, REQUESTS_PER_SECOND: '1000000', WORKERS: String(options.workers ?? false), ...options.env },
    ...(options.envOf && { envOf: options.envOf }),
  });
  atEnd(() => cluster.stop());
  if (options.webhooks) await sandbox.post('/webhook-target', { origin: cluster.members.map(({ url }) => url).join(',') });
  return run({ sandbox, cluster });
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What was seen, and whether all of it holds. */
export function verdict(checks: Readonly<Record<string, boolean>>, seen: string): { seen: string; ok: boolean } {
  const broken = Object.entries(checks).flatMap(([name, ok]) => (ok ? [] : [name]));
  return { seen: broken.length > 0 ? `${seen}; NOT: ${broken.join(', ')}` : seen, ok: broken.length === 0 };
}
