import type { EntityManager } from 'typeorm';
import type { ConnectionRef, SyncRecord } from '../../contract';

/** Something to do once the transaction is committed, e.g. to ring or to tell. Never throws. */
export type AfterCommit = () => void;

/** Injection token of `RecordApplier`. */
export const RECORD_APPLIER = Symbol('RecordApplier');

/** Takes the records that a webhook's handler brings. */
export interface RecordApplier {
  /** Upserts and deletions, within the transaction of `manager`. */
  apply(
    manager: EntityManager,
    connection: ConnectionRef,
    resource: string,
    records: readonly SyncRecord[],
    options: { partition: string },
  ): Promise<AfterCommit | void>;
}

/** Injection token of `SyncRequester`. */
export const SYNC_REQUESTER = Symbol('SyncRequester');

/** Takes a handler's wish for an incremental run. */
export interface SyncRequester {
  /** Within the transaction of `manager`; a burst of wishes becomes one run. Without `resources`: all. */
  request(manager: EntityManager, connection: ConnectionRef, resources?: readonly string[]): Promise<AfterCommit | void>;
}
