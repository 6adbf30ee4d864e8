import type { Cluster } from '../../support/service-cluster';

/** Runs a statement in the service's database while the service runs, through the door of `service.ts`: the embedded one has no room for a reader beside it. */
export async function throughService<Row extends object>(cluster: Cluster, sql: string): Promise<Row[]> {
  const answer = await fetch(`${cluster.members[0]?.url}/faults/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sql }),
    signal: AbortSignal.timeout(60_000),
  });
  if (!answer.ok) throw new Error(`The statement was answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
  return (await answer.json()) as Row[];
}
