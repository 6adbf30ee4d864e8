import { until } from '../../../demo/http-client';
import type { ProductUser } from '../../support/product-user';

/** A run as the API tells of it. */
export interface RunSeen {
  readonly id: string;
  readonly type: 'full' | 'incremental';
  /** Empty: all. */
  readonly resources: readonly string[];
  readonly status: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';
  readonly counts: { readonly fetched: number; readonly deleted: number };
  readonly error: { readonly code: string } | null;
}

export async function runsOf(user: ProductUser, connection: string, member = 0): Promise<readonly RunSeen[]> {
  const answer = await user.call(`/v1/connections/${connection}/syncs`, { member });
  if (answer.status !== 200) throw new Error(`The runs were answered ${answer.status}.`);
  return (answer.body as { data: readonly RunSeen[] }).data;
}

export async function startRun(
  user: ProductUser,
  connection: string,
  type: RunSeen['type'],
  resources: readonly string[],
): Promise<RunSeen> {
  const answer = await user.call(`/v1/connections/${connection}/syncs`, { body: { type, resources } });
  if (answer.status >= 300) throw new Error(`The run was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body as RunSeen;
}

/** Waits until nothing is queued or running. @returns the runs, newest first */
export async function quiet(user: ProductUser, connection: string, timeoutMs = 90_000): Promise<readonly RunSeen[]> {
  const runs = await until(
    () => runsOf(user, connection),
    (list) => list.length > 0 && list.every(({ status }) => status !== 'queued' && status !== 'running'),
    timeoutMs,
  );
  if (runs.some(({ status }) => status === 'queued' || status === 'running')) throw new Error('The runs did not end in time.');
  return runs;
}
