import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { SqlRunner } from '../../../database';
import { v7 as uuidv7 } from 'uuid';
import { storable } from '../records/canonical-json';
import type { RecordPlace } from '../records/record-store';
import type { SyncType } from '../runs/sync-run.entity';

/** How far a run came in one partition. `blocked`: all pages are stored, the sweep waits for a confirmation. */
export interface Walk {
  readonly mode: SyncType;
  /** Of a full walk. */
  readonly walkId: string | null;
  /** The connection's last change before a full walk began. */
  readonly floorChange: string;
  readonly checkpoint: unknown;
  /** Where the walk's own incremental successor will start, as far as the pages said. */
  readonly pendingCursor: unknown;
}

/** What is stored of a partition. */
export interface PartitionState {
  readonly cursor: unknown;
  readonly runId: string | null;
  readonly state: 'walking' | 'done' | 'blocked' | null;
  readonly walk: Walk | undefined;
}

interface Row {
  cursor: unknown;
  run_id: string | null;
  state: PartitionState['state'];
  mode: SyncType | null;
  walk_id: string | null;
  floor_change: string | null;
  checkpoint: unknown;
  pending_cursor: unknown;
}

const AT = 'connection_id = $1 AND resource = $2 AND partition = $3';

/** Cursors and checkpoints of all partitions. */
@Injectable()
export class WalkRepository {
  constructor(private readonly dataSource: DataSource) {}

  async find(place: RecordPlace): Promise<PartitionState> {
    const [row] = await this.dataSource.query<Row[]>(
      `SELECT cursor, run_id, state, mode, walk_id, floor_change, checkpoint, pending_cursor FROM sync_cursors WHERE ${AT}`,
      paramsOf(place),
    );
    if (!row) return { cursor: null, runId: null, state: null, walk: undefined };
    const walk: Walk | undefined =
      row.state === 'walking' && row.mode
        ? {
            mode: row.mode,
            walkId: row.walk_id,
            floorChange: row.floor_change ?? '0',
            checkpoint: row.checkpoint ?? undefined,
            pendingCursor: row.pending_cursor ?? undefined,
          }
        : undefined;
    return { cursor: row.cursor, runId: row.run_id, state: row.state, walk };
  }

  /** The partitions of a resource that were ever walked. */
  async partitions(connectionId: string, resource: string): Promise<string[]> {
    const rows = await this.dataSource.query<{ partition: string }[]>(
      'SELECT partition FROM sync_cursors WHERE connection_id = $1 AND resource = $2',
      [connectionId, resource],
    );
    return rows.map((row) => row.partition);
  }

  async hasCursor(connectionId: string, db: SqlRunner = this.dataSource): Promise<boolean> {
    const rows = await db.query<object>('SELECT 1 FROM sync_cursors WHERE connection_id = $1 AND cursor IS NOT NULL LIMIT 1', [
      connectionId,
    ]);
    return rows.length > 0;
  }

  /** Begins a walk, forgetting an earlier one; under the connection's turn, so that nothing is written between the floor and the walk. */
  async begin(manager: EntityManager, place: RecordPlace, runId: string, mode: SyncType, { dropCursor = false } = {}): Promise<Walk> {
    await this.forgetSeen(manager, place);
    const walkId = mode === 'full' ? uuidv7() : null;
    const [row] = await manager.query<Pick<Row, 'floor_change'>[]>(
      `INSERT INTO sync_cursors AS c (connection_id, resource, partition, run_id, mode, state, walk_id, floor_change)
       VALUES ($1, $2, $3, $4, $5, 'walking', $6, (SELECT last_change FROM record_sequences WHERE connection_id = $1))
       ON CONFLICT (connection_id, resource, partition) DO UPDATE SET run_id = excluded.run_id, mode = excluded.mode, state = 'walking', walk_id = excluded.walk_id,
         floor_change = excluded.floor_change, checkpoint = NULL, pending_cursor = NULL, updated_at = now(), cursor = CASE WHEN $7 THEN NULL ELSE c.cursor END
       RETURNING floor_change`,
      [...paramsOf(place), runId, mode, walkId, dropCursor],
    );
    return { mode, walkId, floorChange: row?.floor_change ?? '0', checkpoint: undefined, pendingCursor: undefined };
  }

  /** The walk is at its end: its cursor counts from now on. */
  async finish(manager: EntityManager, place: RecordPlace, state: 'done' | 'blocked', cursor: unknown): Promise<void> {
    await this.forgetSeen(manager, place);
    await manager.query(
      `UPDATE sync_cursors SET cursor = nullif(coalesce($5::jsonb, pending_cursor, cursor), 'null'::jsonb), state = $4, checkpoint = NULL, pending_cursor = NULL, walk_id = NULL, updated_at = now() WHERE ${AT}`,
      [...paramsOf(place), state, json(cursor)],
    );
  }

  /** What a full walk met without reading it. */
  async meet(manager: EntityManager, { connectionId }: RecordPlace, walkId: string, ids: readonly string[]): Promise<void> {
    await manager.query('INSERT INTO sync_seen (walk_id, connection_id, ids) VALUES ($1, $2, $3)', [
      walkId,
      connectionId,
      ids.map(storable),
    ]);
  }

  async remove(manager: EntityManager, place: RecordPlace): Promise<void> {
    await this.forgetSeen(manager, place);
    await manager.query(`DELETE FROM sync_cursors WHERE ${AT}`, paramsOf(place));
  }

  /** What walks left behind that were overtaken. */
  async forgetLostWalks(db: SqlRunner, olderThanMs: number): Promise<void> {
    await db.query(
      `DELETE FROM sync_seen s WHERE s.at < now() - $1 * interval '1 millisecond' AND NOT EXISTS (SELECT 1 FROM sync_cursors c WHERE c.connection_id = s.connection_id AND c.walk_id = s.walk_id)`,
      [olderThanMs],
    );
  }

  private async forgetSeen(manager: EntityManager, place: RecordPlace): Promise<void> {
    await manager.query(`DELETE FROM sync_seen WHERE walk_id = (SELECT walk_id FROM sync_cursors WHERE ${AT})`, paramsOf(place));
  }
}

function paramsOf(place: RecordPlace): string[] {
  return [place.connectionId, place.resource, place.partition];
}

function json(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
