import { Injectable } from '@nestjs/common';
import { asTenant, changedRows, type SqlRunner } from '../../../database';
import { COUNTED_AT_MOST, OF_ENDED_PROCESS, type Waiting } from '../../jobs';
import { DataSource } from 'typeorm';
import type { ErrorCode, IntegrationError } from '../../../errors';
import type { PartView } from '../../connections';
import type { RecordPlace } from '../records/record-store';
import type { ShapeErrors } from '../records/record-shapes';
import { shapeFailures } from '../records/shape-metrics';
import { MOST_NAMED, RUN_COLUMNS, runOf, type SyncRun, type SyncRunRow } from './sync-run';
import type { SyncStatus, SyncTrigger, SyncType } from './sync-run.entity';

export interface RunEnd {
  readonly status: Extract<SyncStatus, 'succeeded' | 'failed' | 'cancelled' | 'paused'>;
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

/** A run in the hands of this process. */
export interface ClaimedRun extends Omit<SyncRun, 'attempts'> {
  readonly lease: number;
  /** Starts since the last page that was stored. */
  attempts: number;
}

/** Runs of one provider whose last try failed, and which go on by themselves. */
export interface WaitingRuns {
  readonly provider: string;
  readonly count: number;
  readonly nextTryAt: Date;
}

export interface RunFilter {
  readonly id?: string;
  readonly tenant?: string;
  readonly connectionId?: string;
  /** Of one of these. */
  readonly connectionIds?: readonly string[];
  readonly provider?: string;
  readonly status?: SyncStatus;
  readonly type?: SyncType;
  readonly trigger?: SyncTrigger;
  /** When it was asked for, ISO; `from` is within, `to` is not. */
  readonly from?: string;
  readonly to?: string;
  readonly before?: { readonly at: string; readonly id: string };
  readonly limit: number;
}

/** A run that an earlier claim wrote to, or that somebody cancelled, takes nothing more from it. */
export const HELD = `id = $1 AND fence = $2 AND status = 'running'`;

/** The runs. Leases and due times are the database's time: no process' clock can steal one. */
@Injectable()
export class SyncRunRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** The first run that is due, or whose runner is gone; of no provider in `except`. Only one claimer gets it. */
  async claim(lease: string, leaseSeconds: number, except: readonly string[]): Promise<ClaimedRun | undefined> {
    const [row] = await changedRows<SyncRunRow>(
      this.dataSource,
      `UPDATE sync_runs SET status = 'running', fence = fence + 1, attempts = attempts + 1, started_at = coalesce(started_at, now()),
         lease_owner = $3::uuid, lease_until = now() + make_interval(secs => $1), error_code = NULL, error_message = NULL
       WHERE id = coalesce(
         (SELECT id FROM sync_runs WHERE status = 'running' AND lease_until <= now() AND provider <> ALL($2) ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED),
         (SELECT id FROM sync_runs WHERE status = 'queued' AND after_run IS NULL AND next_attempt_at <= now() AND provider <> ALL($2)
          ORDER BY priority, next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED))
       RETURNING ${RUN_COLUMNS}`,
      [leaseSeconds, except, lease],
    );
    return row && { ...runOf(row), lease: row.fence };
  }

  async waiting(): Promise<Waiting> {
    const [row] = await this.dataSource.query<Waiting[]>(
      `SELECT (SELECT count(*)::int FROM (SELECT 1 FROM sync_runs WHERE status = 'queued' LIMIT $1) w) AS count,
         (SELECT extract(epoch FROM now() - min(next_attempt_at))::float8 FROM sync_runs
          WHERE status = 'queued' AND after_run IS NULL AND next_attempt_at <= now()) AS oldest`,
      [COUNTED_AT_MOST],
    );
    return row ?? { count: 0, oldest: null };
  }

  /** Of each provider the runs that wait for another try, as many as are counted, and the first one's time. @param tenant undefined: of all (an operator) */
  failing(tenant: string | undefined, providers: readonly string[]): Promise<WaitingRuns[]> {
    return asTenant(this.dataSource, tenant).query<WaitingRuns>(
      `SELECT w.provider, count(*)::int AS count, min(w.next_attempt_at) AS "nextTryAt"
       FROM (SELECT provider, next_attempt_at FROM sync_runs
         WHERE status IN ('queued', 'running') AND error_code IS NOT NULL AND provider = ANY($2) AND ($1::text IS NULL OR tenant = $1) LIMIT $3) w
       GROUP BY w.provider`,
      [tenant ?? null, providers, COUNTED_AT_MOST],
    );
  }

  /** What processes held that have ended goes on elsewhere. @param alive the signs of the processes that live */
  async endLeases(alive: readonly string[]): Promise<void> {
    await this.dataSource.query(
      `UPDATE sync_runs SET lease_until = now() WHERE status = 'running' AND lease_until > now() AND ${OF_ENDED_PROCESS}`,
      [alive],
    );
  }

  /** From here on this resource is read; how much there is of it is not known yet. A try that goes on with it changes nothing. */
  async begin(run: Pick<SyncRun, 'id' | 'fence'>, resource: string): Promise<void> {
    await this.dataSource.query(
      `UPDATE sync_runs SET progress = jsonb_build_object('resource', $3::text, 'before', fetched), total = NULL
       WHERE ${HELD} AND progress->>'resource' IS DISTINCT FROM $3`,
      [run.id, run.fence, resource],
    );
  }

  /** Why a run under way waits for another try of a call, and until when; the next page that it stores ends that. */
  async noteWait(run: Pick<SyncRun, 'id' | 'fence'>, { code, message }: IntegrationError, waitMs: number): Promise<void> {
    await this.dataSource.query(
      `UPDATE sync_runs SET error_code = $3, error_message = $4, next_attempt_at = now() + $5 * interval '1 millisecond' WHERE ${HELD}`,
      [run.id, run.fence, code, message, waitMs],
    );
  }

  /** @returns those that are still their claim's */
  async extend(runs: readonly Pick<SyncRun, 'id' | 'fence'>[], leaseSeconds: number): Promise<ReadonlySet<string>> {
    const rows = await changedRows<{ id: string }>(
      this.dataSource,
      `UPDATE sync_runs r SET lease_until = now() + make_interval(secs => $3) FROM unnest($1::uuid[], $2::int[]) AS ours (id, fence)
       WHERE r.id = ours.id AND r.fence = ours.fence AND r.status = 'running' RETURNING r.id`,
      [runs.map(({ id }) => id), runs.map(({ fence }) => fence), leaseSeconds],
    );
    return new Set(rows.map(({ id }) => id));
  }

  /**
   * Takes the connection's turn to write and locks the run, in this order, for the rest of the transaction. Whatever waited for the
   * locks is judged by what stands there then. @returns false when the run is no longer this claim's
   */
  async hold(manager: SqlRunner, run: Pick<SyncRun, 'id' | 'fence' | 'connectionId'>): Promise<boolean> {
    const rows = await manager.query<object>(
      `SELECT 1 FROM record_sequences s, sync_runs r WHERE s.connection_id = $3 AND r.id = $1 AND r.fence = $2 AND r.status = 'running' FOR UPDATE OF s, r`,
      [run.id, run.fence, run.connectionId],
    );
    return rows.length > 0;
  }

  /** Added to what the run met there before, of which the first is named; the run is held. */
  async noteShapeErrors(
    manager: SqlRunner,
    run: Pick<SyncRun, 'id' | 'provider'>,
    { resource, partition }: Pick<RecordPlace, 'resource' | 'partition'>,
    errors: ShapeErrors,
  ): Promise<void> {
    const part = JSON.stringify([resource, partition]);
    await manager.query(
      `UPDATE sync_runs SET shape_errors = shape_errors || jsonb_build_object($2::text,
         $3::jsonb || coalesce(shape_errors -> $2, '{}') || jsonb_build_object('records', coalesce((shape_errors -> $2 ->> 'records')::int, 0) + $4::int))
       WHERE id = $1`,
      [run.id, part, JSON.stringify({ resource, partition, ...errors }), errors.records],
    );
    shapeFailures.inc({ provider: run.provider }, errors.records);
  }

  /** Back into the queue, its checkpoints kept. `waitMs` until the next try. */
  async putBack(
    run: Pick<SyncRun, 'id' | 'fence'>,
    { waitMs = 0, error, attemptCounts = true }: { waitMs?: number; error?: RunEnd['error']; attemptCounts?: boolean } = {},
  ): Promise<void> {
    await this.dataSource.query(
      `UPDATE sync_runs SET status = 'queued', lease_until = NULL, next_attempt_at = now() + $3 * interval '1 millisecond',
         error_code = $4, error_message = $5, attempts = CASE WHEN $6 THEN attempts ELSE greatest(attempts - 1, 0) END WHERE ${HELD}`,
      [run.id, run.fence, waitMs, error?.code ?? null, error?.message ?? null, attemptCounts],
    );
  }

  /** @returns undefined when the run is no longer this claim's */
  async finish(
    manager: SqlRunner,
    run: Pick<SyncRun, 'id' | 'fence'>,
    end: RunEnd,
    parts: readonly PartView[] = [],
  ): Promise<SyncRun | undefined> {
    const [row] = await changedRows<SyncRunRow>(
      manager,
      `UPDATE sync_runs SET status = $3, finished_at = now(), lease_until = NULL, error_code = $4, error_message = $5, parts = $6::jsonb WHERE ${HELD}
       RETURNING ${RUN_COLUMNS}`,
      [run.id, run.fence, end.status, end.error?.code ?? null, end.error?.message ?? null, JSON.stringify(parts.slice(0, MOST_NAMED))],
    );
    return row && runOf(row);
  }

  /** The run that waited for this one is due, or has come to nothing with it. @returns whether one is due */
  async follow(manager: SqlRunner, runId: string, goesOn: boolean): Promise<boolean> {
    const rows = await changedRows(
      manager,
      goesOn
        ? `UPDATE sync_runs SET after_run = NULL, next_attempt_at = now() WHERE after_run = $1 AND status = 'queued' RETURNING id`
        : `UPDATE sync_runs SET status = 'cancelled', finished_at = now(), error_code = 'cancelled' WHERE after_run = $1 AND status = 'queued' RETURNING id`,
      [runId],
    );
    return goesOn && rows.length > 0;
  }

  async findById(id: string): Promise<SyncRun | undefined> {
    const [row] = await this.dataSource.query<SyncRunRow[]>(`SELECT ${RUN_COLUMNS} FROM sync_runs WHERE id = $1`, [id]);
    return row && runOf(row);
  }

  /** Newest first. */
  async list(filter: RunFilter): Promise<SyncRun[]> {
    const params: unknown[] = [];
    const where: string[] = [];
    const add = (sql: string, ...values: unknown[]) =>
      where.push(values.reduce<string>((text, value) => text.replace('?', `$${params.push(value)}`), sql));
    if (filter.tenant !== undefined) add('tenant = ?', filter.tenant);
    if (filter.id !== undefined) add('id = ?', filter.id);
    if (filter.connectionId !== undefined) add('connection_id = ?', filter.connectionId);
    if (filter.provider !== undefined) add('provider = ?', filter.provider);
    if (filter.connectionIds !== undefined) add('connection_id = ANY(?::uuid[])', filter.connectionIds);
    if (filter.status !== undefined) add('status = ?', filter.status);
    if (filter.type !== undefined) add('type = ?', filter.type);
    if (filter.trigger !== undefined) add('trigger = ?', filter.trigger);
    if (filter.from !== undefined) add('created_at >= ?::timestamptz', filter.from);
    if (filter.to !== undefined) add('created_at < ?::timestamptz', filter.to);
    // A cursor's time is cut to the ms, the row's is not: the row itself says where the page ended.
    if (filter.before) {
      const { at, id } = filter.before;
      add('(created_at, id) < (coalesce((SELECT created_at FROM sync_runs WHERE id = ?::uuid), ?::timestamptz), ?::uuid)', id, at, id);
    }
    const rows = await asTenant(this.dataSource, filter.tenant).query<SyncRunRow>(
      `SELECT ${RUN_COLUMNS} FROM sync_runs ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''} ORDER BY created_at DESC, id DESC LIMIT $${params.push(filter.limit)}`,
      params,
    );
    return rows.map(runOf);
  }
}
