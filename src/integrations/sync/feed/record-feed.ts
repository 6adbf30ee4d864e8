import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { asTenant } from '../../../database';
import { decodeCursor, encodeCursor, tenantInHand } from '../../../http-api';
import { IntegrationError } from '../../../errors';

export interface FeedItem {
  readonly id: string;
  /** Of a resource with several partitions, which one. */
  readonly partition?: string;
  readonly data: unknown;
  readonly deleted: boolean;
  readonly changedAt: string;
}

export interface FeedPage {
  readonly data: readonly FeedItem[];
  /** Always there: a reader that has read everything asks with it again later. */
  readonly nextCursor: string;
  /** Whether there is more to read at once. */
  readonly hasMore: boolean;
}

export interface FeedRequest {
  readonly connectionId: string;
  readonly resource: string;
  readonly cursor?: string;
  readonly limit: number;
  /** Only what changed at or after this. */
  readonly since?: Date;
}

interface RecordRow {
  external_id: string | null;
  partition: string;
  data: unknown;
  deleted: boolean;
  change_no: string;
  changed_at: Date;
}

interface FeedRow extends RecordRow {
  head: string;
  compacted_to: string;
}

const changeNo = z.string().regex(/^\d{1,18}$/);

/**
 * r: the resource, so that a cursor of one list is refused by another. n: the last change that was read. c: up to where tombstones
 * had been removed when the reading began; what was gone by then, this reader never saw alive.
 */
const cursorShape = z.strictObject({ r: z.string().max(200), n: changeNo, c: changeNo });

type Position = z.infer<typeof cursorShape>;

/** A cursor from which the changes after `lastChange` are read. */
export function feedCursor(resource: string, lastChange: string, compactedTo: string): string {
  return encodeCursor({ r: resource, n: lastChange, c: compactedTo } satisfies Position);
}

/**
 * One snapshot for the place of the head and the rows: what is not among the rows has a higher number than the head.
 * `change_no > 0` is always true, and what opens the feed's index to a statement.
 */
export const FEED = `
SELECT s.last_change AS head, s.compacted_to, r.external_id, r.partition, r.data, r.deleted, r.change_no, r.changed_at
FROM record_sequences s LEFT JOIN LATERAL (
  SELECT * FROM records WHERE connection_id = $1 AND resource = $2 AND change_no > $3 AND change_no > 0 AND ($5::timestamptz IS NULL OR changed_at >= $5)
  ORDER BY change_no LIMIT $4) r ON true
WHERE s.connection_id = $1 ORDER BY r.change_no`;

const ONE = `
SELECT external_id, partition, data, deleted, change_no, changed_at FROM records
WHERE connection_id = $1 AND resource = $2 AND external_id = $3 AND change_no > 0 AND ($4::text IS NULL OR partition = $4) LIMIT 2`;

/**
 * Records in the order of their changes. Numbers are drawn under the connection's lock, so they become visible in their order,
 * and a cursor never passes a change that is still to be committed.
 */
@Injectable()
export class RecordFeed {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws IntegrationError `invalid_cursor`, `cursor_expired` */
  async read(request: FeedRequest): Promise<FeedPage> {
    const from = request.cursor === undefined ? undefined : this.position(request.cursor, request.resource);
    const params = [request.connectionId, request.resource, from?.n ?? '0', request.limit + 1, request.since ?? null];
    const rows = await asTenant(this.dataSource, tenantInHand()).query<FeedRow>(FEED, params);
    const { head, compacted_to: compactedTo } = rows[0] ?? { head: '0', compacted_to: '0' };
    if (from && BigInt(from.n) > BigInt(head)) throw new IntegrationError('invalid_cursor');
    if (from && BigInt(compactedTo) > BigInt(from.n) && BigInt(compactedTo) > BigInt(from.c)) throw new IntegrationError('cursor_expired');
    const found = rows.filter((row) => row.external_id !== null);
    const hasMore = found.length > request.limit;
    const page = found.slice(0, request.limit);
    const n = hasMore ? (page.at(-1) as FeedRow).change_no : head;
    return { data: page.map(itemOf), nextCursor: feedCursor(request.resource, n, from?.c ?? compactedTo), hasMore };
  }

  /** The records of one id: of a resource with several partitions there may be one in each. Two at most. */
  async one(connectionId: string, resource: string, recordId: string, partition?: string): Promise<FeedItem[]> {
    const rows = await asTenant(this.dataSource, tenantInHand()).query<RecordRow>(ONE, [
      connectionId,
      resource,
      recordId,
      partition ?? null,
    ]);
    return rows.map(itemOf);
  }

  /** Whether there ever was a record of this resource: a provider may have dropped it since. */
  async has(connectionId: string, resource: string): Promise<boolean> {
    return (
      (
        await this.dataSource.query<object[]>('SELECT 1 FROM records WHERE connection_id = $1 AND resource = $2 LIMIT 1', [
          connectionId,
          resource,
        ])
      ).length > 0
    );
  }

  private position(cursor: string, resource: string): Position {
    const position = decodeCursor(cursor, cursorShape);
    if (position.r !== resource) throw new IntegrationError('invalid_cursor');
    return position;
  }
}

function itemOf(row: RecordRow): FeedItem {
  return {
    id: row.external_id as string,
    ...(row.partition !== '' && { partition: row.partition }),
    data: row.deleted ? null : row.data,
    deleted: row.deleted,
    changedAt: row.changed_at.toISOString(),
  };
}
