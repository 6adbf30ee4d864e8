import type { ConnectionRef } from '../../contract';
import { FakeRemote } from './fake-remote';
import type { SyncHarness, SyncProcess } from './sync-harness';

export interface SyncScene {
  readonly process: SyncProcess;
  readonly connection: ConnectionRef;
  full(): Promise<void>;
  incremental(): Promise<void>;
}

/** What the remote has, as the store keys it. */
export const contentOf = (remote: FakeRemote) =>
  new Map(
    [...remote.lists].flatMap(([partition, list]) => [...list.items].map(([id, { value }]) => [`${partition}/${id}`, value] as const)),
  );

export function filled(count: number, partition = ''): FakeRemote {
  const remote = new FakeRemote();
  for (let i = 0; i < count; i++) remote.list(partition).put(`r${String(i).padStart(4, '0')}`, { n: i });
  return remote;
}

/** A connection to that remote, and a process that syncs it. */
export async function sceneOf(
  harness: SyncHarness,
  remote: FakeRemote,
  options: Parameters<FakeRemote['sync']>[0] = {},
): Promise<SyncScene> {
  const process = harness.process();
  const connection = await harness.connect(harness.provider(remote.sync(options)));
  const sync = (type: 'full' | 'incremental') => async () => {
    await process.service.request(connection.id, { type, trigger: 'manual' });
    await process.drain();
  };
  return { process, connection, full: sync('full'), incremental: sync('incremental') };
}
