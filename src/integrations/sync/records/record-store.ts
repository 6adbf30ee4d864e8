import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { prepared } from '../../../database';
import type { ConnectionRef, StoredRecord, SyncRecord } from '../../contract';
import { storable } from './canonical-json';
import { recordBatch, textsOf, type RecordBatch } from './record-batch';
import {
  APPLY_BATCH,
  COUNT_LIVE_IN_PARTITION,
  COUNT_LIVE_IN_RESOURCE,
  CREATE_SEQUENCE,
  KNOW_PARTITION,
  LIVE_IN_PARTITION,
  LOCK_SEQUENCE,
  PARTS_OF,
  UNSEEN,
} from './record.queries';

export interface RecordCounts {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly deleted: number;
  /** Records of other resources that went with what they hung on, by resource. */
  readonly elsewhere?: Readonly<Record<string, number>>;
}

/** Where records belong. */
export interface RecordPlace {
  readonly connectionId: string;
  readonly resource: string;
  readonly partition: string;
}

export const NO_COUNTS: RecordCounts = { created: 0, updated: 0, unchanged: 0, deleted: 0 };

/** Counts as the statements give them. */
export type CountsRow = Omit<RecordCounts, 'elsewhere'> & { readonly elsewhere: RecordCounts['elsewhere'] | null };

/** Deletions in one statement. */
const SWEEP_BATCH = 1_000;
/** Records that are read at once. */
const PARTS_AT_ONCE = 500;

/** The records of all connections. Everything happens in the caller's transaction, under the connection's turn to write. */
@Injectable()
export class RecordStore {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Upserts and deletions, counted. What has the same content is not written; what has a lower version than the stored is ignored.
   * Holds the connection's turn until the transaction ends: two connections in one transaction belong in the order of their ids.
   */
  async apply(
    manager: EntityManager,
    connection: Pick<ConnectionRef, 'id'>,
    resource: string,
    partition: string,
    records: readonly SyncRecord[],
  ): Promise<RecordCounts> {
    if (records.length === 0) return NO_COUNTS;
    const batch = recordBatch(records);
    await this.lock(manager, connection.id);
    // So that a partition which no run has walked yet is swept when it is gone.
    if (partition !== '') await manager.query(KNOW_PARTITION, [connection.id, resource, partition]);
    return this.applyLocked(manager, { connectionId: connection.id, resource, partition }, batch);
  }

  /** The living records of a resource that hang on a record of another, a page at a time. */
  async *partsOf(
    manager: EntityManager,
    { id: connectionId }: Pick<ConnectionRef, 'id'>,
    resource: string,
    partOf: { readonly resource: string; readonly id: string },
  ): AsyncGenerator<readonly StoredRecord[], void, void> {
    const parent = `${partOf.resource}/${storable(partOf.id)}`;
    for (let last: StoredRecord | undefined; ;) {
      const page: StoredRecord[] = await manager.query(PARTS_OF, [
        connectionId,
        resource,
        parent,
        last?.partition ?? '',
        last?.id ?? '',
        PARTS_AT_ONCE,
      ]);
      if (page.length > 0) yield page;
      if (page.length < PARTS_AT_ONCE) return;
      last = page.at(-1);
    }
  }

  /** Takes the connection's turn to write, until the transaction ends. Always the first lock of a transaction. */
  async lock(manager: EntityManager, connectionId: string): Promise<void> {
    if ((await manager.query<object[]>(LOCK_SEQUENCE, [connectionId])).length > 0) return;
    await manager.query(CREATE_SEQUENCE, [connectionId]);
    await manager.query(LOCK_SEQUENCE, [connectionId]);
  }

  /** Sees to it that the connection has a turn to take. */
  async prepare(connectionId: string): Promise<void> {
    await this.dataSource.query(CREATE_SEQUENCE, [connectionId]);
  }

  async applyLocked(manager: EntityManager, place: RecordPlace, batch: RecordBatch): Promise<RecordCounts> {
    if (batch.size === 0) return NO_COUNTS;
    const [counts] = await prepared<CountsRow>(manager, 'sync_apply_batch', APPLY_BATCH, [
      ...this.comparisonParams(place, batch),
      textsOf(batch),
      batch.deleted,
      batch.partOf,
      batch.required,
    ]);
    return countsOf(counts as CountsRow);
  }

  /** What the look-ups compare: the first params of every statement with a batch. */
  comparisonParams(place: RecordPlace, { ids, hashes, versions }: RecordBatch): unknown[] {
    return [...placeParams(place), ids, hashes, versions, new Date(this.clock.now())];
  }

  /** Ids that a full walk did not meet. */
  async unseen(manager: EntityManager, place: RecordPlace, walk: { walkId: string; floorChange: string }): Promise<string[]> {
    return ids(await manager.query<{ id: string }[]>(UNSEEN, [...placeParams(place), walk.walkId, walk.floorChange]));
  }

  async live(manager: EntityManager, place: RecordPlace): Promise<string[]> {
    return ids(await manager.query<{ id: string }[]>(LIVE_IN_PARTITION, placeParams(place)));
  }

  /** How many records there are; without a partition, in the whole resource. */
  async countLive(manager: EntityManager, place: Omit<RecordPlace, 'partition'> & { partition?: string }): Promise<number> {
    const [row] =
      place.partition === undefined
        ? await manager.query<{ live: number }[]>(COUNT_LIVE_IN_RESOURCE, [place.connectionId, place.resource])
        : await manager.query<{ live: number }[]>(COUNT_LIVE_IN_PARTITION, [place.connectionId, place.resource, place.partition]);
    return row?.live ?? 0;
  }

  /** Turns records into tombstones; the caller holds the turn. */
  async removeLocked(manager: EntityManager, place: RecordPlace, recordIds: readonly string[]): Promise<RecordCounts> {
    let counts = NO_COUNTS;
    for (let start = 0; start < recordIds.length; start += SWEEP_BATCH) {
      const records = recordIds.slice(start, start + SWEEP_BATCH).map((id) => ({ id, deleted: true }));
      counts = addCounts(counts, { ...(await this.applyLocked(manager, place, recordBatch(records))), unchanged: 0 });
    }
    return counts;
  }
}

export function addCounts(a: RecordCounts, b: RecordCounts): RecordCounts {
  return {
    created: a.created + b.created,
    updated: a.updated + b.updated,
    unchanged: a.unchanged + b.unchanged,
    deleted: a.deleted + b.deleted,
    ...((a.elsewhere ?? b.elsewhere) && { elsewhere: sums(a.elsewhere ?? {}, b.elsewhere ?? {}) }),
  };
}

export function countsOf({ created, updated, unchanged, deleted, elsewhere }: CountsRow): RecordCounts {
  return { created, updated, unchanged, deleted, ...(elsewhere && { elsewhere }) };
}

function sums(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(names.map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]));
}

function placeParams(place: RecordPlace): string[] {
  return [place.connectionId, place.resource, place.partition];
}

function ids(rows: readonly { id: string }[]): string[] {
  return rows.map((row) => row.id);
}
