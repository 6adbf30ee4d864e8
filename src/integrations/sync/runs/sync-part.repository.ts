import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { backOffMs } from '../../../back-off';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import type { SqlRunner } from '../../../database';
import type { ShapeErrors } from '../records/record-shapes';
import type { SyncTrigger } from './sync-run.entity';
import { partKey, type KnownPart, type LearnedParts, type PartPlace, type TriedPart } from './sync-part';

/** A part that cannot be read is tried at least so often, where the connection's own interval is no longer. */
const LONGEST_PAUSE_S = 86_400;
const AT = 'p.connection_id = $1 AND p.resource = n.resource AND p.partition = n.partition AND p.whole = n.whole';
const READABLE = 'failures = 0, error_code = NULL, error_message = NULL, failing_since = NULL, tried_at = NULL, next_try_at = NULL';
const WITHOUT_NEWS = 'DELETE FROM sync_parts WHERE connection_id = $1 AND failures = 0 AND extent IS NULL AND shape_errors = 0';
const PLACES = 'unnest($2::text[], $3::text[], $4::boolean[])';

/** What is remembered of the parts that cannot be read, or are not read whole. Times are the database's. */
@Injectable()
export class SyncPartRepository {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'syncIncrementalSeconds'>,
  ) {}

  /** By `partKey`. */
  async known(connectionId: string, db: SqlRunner = this.dataSource): Promise<ReadonlyMap<string, KnownPart>> {
    const rows = await db.query<KnownPart>(
      `SELECT p.*, coalesce(p.next_try_at > now(), false) AS waits FROM sync_parts p WHERE p.connection_id = $1 ORDER BY p.resource, p.partition`,
      [connectionId],
    );
    return new Map(rows.map((row) => [partKey(row), row]));
  }

  /**
   * What a run has learned, under the connection's turn: a part that was read is no longer failing, one that was not waits twice as long
   * as the time before. @param pauses false: the connection has a pause of its own, the parts need none
   */
  async note(db: SqlRunner, connectionId: string, { tried, gone }: LearnedParts, { pauses }: { pauses: boolean }): Promise<void> {
    const known = await this.known(connectionId, db);
    const failed = tried.filter(({ error }) => error !== undefined);
    const read = tried.flatMap((part) => {
      const before = known.get(partKey(part));
      const extent = part.extent === undefined ? (before?.extent ?? null) : part.extent;
      return part.error || (!before && extent === null) ? [] : [{ ...part, extent }];
    });
    if (failed.length > 0) await this.fail(db, connectionId, failed, known, pauses);
    if (read.length > 0) await this.read(db, connectionId, read);
    if (gone.length > 0)
      await db.query(`DELETE FROM sync_parts p USING ${PLACES} AS n(resource, partition, whole) WHERE ${AT}`, [
        connectionId,
        ...columnsOf(gone),
      ]);
  }

  /**
   * What a run stored as it came. Where it met all that there is and nothing of the kind, there is nothing left to say; else it says something only of what it met.
   * @param met by `partKey`
   */
  async noteShapes(
    db: SqlRunner,
    connectionId: string,
    { tried }: Pick<LearnedParts, 'tried'>,
    met: ReadonlyMap<string, Pick<ShapeErrors, 'records' | 'reason'>>,
  ): Promise<void> {
    const known = await this.known(connectionId, db);
    const over = { records: 0, reason: null };
    const news = tried.flatMap((part) => {
      const isOver = part.walked && (known.get(partKey(part))?.shape_errors ?? 0) > 0;
      const errors = met.get(partKey(part)) ?? (isOver ? over : undefined);
      return errors ? [{ ...part, ...errors }] : [];
    });
    if (news.length === 0) return;
    await db.query(
      `INSERT INTO sync_parts (connection_id, resource, partition, whole, label, shape_errors, shape_error)
       SELECT $1, n.resource, n.partition, n.whole, n.label, n.records, n.reason
       FROM unnest($2::text[], $3::text[], $4::boolean[], $5::text[], $6::int[], $7::text[]) AS n(resource, partition, whole, label, records, reason)
       ON CONFLICT (connection_id, resource, partition, whole) DO UPDATE SET shape_errors = excluded.shape_errors, shape_error = excluded.shape_error`,
      [
        connectionId,
        ...columnsOf(news),
        news.map(({ label }) => label),
        news.map(({ records }) => records),
        news.map(({ reason }) => reason),
      ],
    );
    await db.query(WITHOUT_NEWS, [connectionId]);
  }

  /** What an event brought and was stored as it came, beside what was known of; under the connection's turn. */
  async addShapeErrors(
    db: SqlRunner,
    connectionId: string,
    { resource, partition, label, records, reason }: Pick<PartPlace, 'resource' | 'partition'> & { readonly label: string } & ShapeErrors,
  ): Promise<void> {
    await db.query(
      `INSERT INTO sync_parts AS p (connection_id, resource, partition, whole, label, shape_errors, shape_error) VALUES ($1, $2, $3, false, $4, $5, $6)
       ON CONFLICT (connection_id, resource, partition, whole) DO UPDATE SET shape_errors = p.shape_errors + excluded.shape_errors,
         shape_error = coalesce(p.shape_error, excluded.shape_error)`,
      [connectionId, resource, partition, label, records, reason],
    );
  }

  /**
   * Somebody wants to know anew: a person at once; what a provider told forgives all but the first pause, since it may be of another part.
   * @returns how many parts are tried sooner by it
   */
  async askAgain(db: SqlRunner, connectionId: string, trigger: SyncTrigger, resources: readonly string[]): Promise<number> {
    if (trigger === 'schedule') return 0;
    const [row] = await db.query<{ sooner: number }>(
      `WITH wanted AS (SELECT resource, partition, whole, CASE WHEN $3 THEN greatest(now(), tried_at + $4 * interval '1 millisecond') ELSE now() END AS at
         FROM sync_parts WHERE connection_id = $1 AND failures > 0 AND ($2::text[] = '{}' OR resource = ANY($2))),
       sooner AS (UPDATE sync_parts p SET next_try_at = n.at FROM wanted n WHERE ${AT} AND p.next_try_at > n.at RETURNING 1)
       SELECT count(*)::int AS sooner FROM sooner`,
      [connectionId, resources, trigger === 'webhook', this.pauseMs(1)],
    );
    return row?.sooner ?? 0;
  }

  /** With a new consent everything is asked anew, and counted from the start. */
  async forget(connectionId: string, db: SqlRunner = this.dataSource): Promise<void> {
    await db.query(`UPDATE sync_parts SET ${READABLE} WHERE connection_id = $1 AND failures > 0`, [connectionId]);
    await db.query(WITHOUT_NEWS, [connectionId]);
  }

  /** Half an interval is taken off: the run in which it is tried is due then, and not a moment before. */
  private pauseMs(failures: number): number {
    const everyMs = this.settings.syncIncrementalSeconds * 1_000;
    return backOffMs(failures, { firstMs: everyMs, maxMs: Math.max(LONGEST_PAUSE_S * 1_000, everyMs), jitter: 0 }) - everyMs / 2;
  }

  private async fail(
    db: SqlRunner,
    connectionId: string,
    parts: readonly TriedPart[],
    known: ReadonlyMap<string, KnownPart>,
    pauses: boolean,
  ): Promise<void> {
    const pauseOf = (part: TriedPart) => (pauses ? this.pauseMs((known.get(partKey(part))?.failures ?? 0) + 1) : 0);
    await db.query(
      `INSERT INTO sync_parts AS p (connection_id, resource, partition, whole, label, failures, error_code, error_message, failing_since, tried_at, next_try_at)
       SELECT $1, n.resource, n.partition, n.whole, n.label, 1, n.code, n.message, now(), now(), now() + n.pause * interval '1 millisecond'
       FROM unnest($2::text[], $3::text[], $4::boolean[], $5::text[], $6::text[], $7::text[], $8::float8[]) AS n(resource, partition, whole, label, code, message, pause)
       ON CONFLICT (connection_id, resource, partition, whole) DO UPDATE SET label = excluded.label, failures = p.failures + 1, error_code = excluded.error_code,
         error_message = excluded.error_message, failing_since = coalesce(p.failing_since, excluded.failing_since), tried_at = excluded.tried_at,
         next_try_at = excluded.next_try_at`,
      [
        connectionId,
        ...columnsOf(parts),
        parts.map(({ label }) => label),
        parts.map(({ error }) => error?.code),
        parts.map(({ error }) => error?.message),
        parts.map(pauseOf),
      ],
    );
  }

  /** Where nothing is left to say of a part its row goes. */
  private async read(db: SqlRunner, connectionId: string, parts: readonly (TriedPart & { extent: string | null })[]): Promise<void> {
    await db.query(
      `INSERT INTO sync_parts (connection_id, resource, partition, whole, label, extent)
       SELECT $1, n.resource, n.partition, n.whole, n.label, n.extent
       FROM unnest($2::text[], $3::text[], $4::boolean[], $5::text[], $6::text[]) AS n(resource, partition, whole, label, extent)
       ON CONFLICT (connection_id, resource, partition, whole) DO UPDATE SET label = excluded.label, extent = excluded.extent, ${READABLE}`,
      [connectionId, ...columnsOf(parts), parts.map(({ label }) => label), parts.map(({ extent }) => extent)],
    );
    await db.query(WITHOUT_NEWS, [connectionId]);
  }
}

function columnsOf(parts: readonly PartPlace[]): [string[], string[], boolean[]] {
  return [parts.map(({ resource }) => resource), parts.map(({ partition }) => partition), parts.map(({ whole }) => whole)];
}
