import type { EntityManager } from 'typeorm';
import type { ConnectionRef, Fetch, SyncRecord } from '../provider';

/** Something to do once the transaction is committed, e.g. to ring or to tell. Never throws. */
export type AfterCommit = () => void;

/** Injection token of `RecordApplier`. */
export const RECORD_APPLIER = Symbol('RecordApplier');

/** Takes the records that a webhook's handler brings. */
export interface RecordApplier {
  /** Upserts and deletions, within the transaction of `manager`. */
  apply(manager: EntityManager, connection: ConnectionRef, resource: string, records: readonly SyncRecord[], options: { partition: string }): Promise<AfterCommit | void>;
}

/** Injection token of `SyncRequester`. */
export const SYNC_REQUESTER = Symbol('SyncRequester');

/** Takes a handler's wish for an incremental run. */
export interface SyncRequester {
  /** Within the transaction of `manager`; a burst of wishes becomes one run. Without `resources`: all. */
  request(manager: EntityManager, connection: ConnectionRef, resources?: readonly string[]): Promise<AfterCommit | void>;
}

/** Injection token of `ConnectionEnder`. */
export const CONNECTION_ENDER = Symbol('ConnectionEnder');

/** Takes notice that the provider ended a grant. */
export interface ConnectionEnder {
  /** Within the transaction of `manager`. `at`: when the provider said so; a newer grant stands. */
  end(manager: EntityManager, connection: ConnectionRef, reason: { code: 'needs_reauth' | 'not_connected'; providerCode: string; at: Date }): Promise<AfterCommit | void>;
}

/** Injection token of `EventFetch`. */
export const EVENT_FETCH = Symbol('EventFetch');

/** The governed way out for a handler's `prepare`. */
export interface EventFetch {
  fetchFor(connection: ConnectionRef, options: { signal: AbortSignal; deadlineMs: number; operation: string }): Fetch;
}
