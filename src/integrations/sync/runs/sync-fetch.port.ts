import type { ConnectionRef, Fetch } from '../../contract';

/** How a run and a watch reach the provider: the governed fetch of a connection. */
export interface SyncFetch {
  fetchFor(connection: ConnectionRef, options: { signal: AbortSignal; operation?: string }): Fetch;
}

export const SYNC_FETCH = Symbol('SyncFetch');
