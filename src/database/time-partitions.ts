import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource, EntityManager } from 'typeorm';
import type { SqlRunner } from './sql-runner';

/** A part of a table that is partitioned by its ids, which are in the order of time. */
export interface TimePartition {
  readonly name: string;
  readonly table: string;
  /** The times of its ids, ms; the first one has no beginning, the one that takes what is left over neither. */
  readonly fromMs?: number;
  readonly toMs?: number;
}

const DAY_MS = 86_400_000;
/** 1970 began on a Thursday; weeks begin on Mondays. */
const FIRST_MONDAY_MS = 4 * DAY_MS;
/** What is made ahead: this much of time, and one partition at least. */
const AHEAD_MS = 3 * DAY_MS;
/** Tries to drop one, and the pause between two, ms: who holds it at the time may be a long read. */
const TRIES = 5;
const PAUSE_MS = 200;
/** Postgres: the lock was not given in time. */
const LOCK_NOT_AVAILABLE = '55P03';

/** Each with its bounds as ids. A row that no partition was made for lies in the one that has none. */
const PARTITIONS = `
  SELECT c.relname AS name, p.relname AS "table", substring(b.bound FROM 'FROM \\(''([0-9a-f-]{36})''') AS low, substring(b.bound FROM 'TO \\(''([0-9a-f-]{36})''') AS high
  FROM pg_partitioned_table t JOIN pg_attribute a ON a.attrelid = t.partrelid AND a.attnum = t.partattrs[0] AND a.attname = 'id' AND t.partnatts = 1
  JOIN pg_class p ON p.oid = t.partrelid AND p.relnamespace = 'public'::regnamespace
  JOIN pg_inherits i ON i.inhparent = p.oid JOIN pg_class c ON c.oid = i.inhrelid
  CROSS JOIN LATERAL (SELECT pg_get_expr(c.relpartbound, c.oid) AS bound) b
  WHERE $1::text IS NULL OR p.relname = $1 ORDER BY p.relname, high NULLS LAST`;

/** How long a partition is, so that a table has about ten: a statement that looks into all of them pays for each. */
export function spanOf(keptDays: number): number {
  if (keptDays <= 7) return DAY_MS;
  return keptDays <= 60 ? 7 * DAY_MS : 28 * DAY_MS;
}

/** The lowest UUIDv7 of a moment: https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7 */
export function firstIdOf(ms: number): string {
  const time = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}

/** When a UUIDv7 was made, ms since the epoch. */
export const timeOfId = (id: string) => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** The partitions of the table, or of all tables that have some, the oldest first. */
export async function timePartitions(db: SqlRunner, table?: string): Promise<TimePartition[]> {
  const rows = await db.query<{ name: string; table: string; low: string | null; high: string | null }>(PARTITIONS, [table ?? null]);
  return rows.map(({ low, high, ...named }) => ({
    ...named,
    ...(low && { fromMs: timeOfId(low) }),
    ...(high && { toMs: timeOfId(high) }),
  }));
}

/**
 * Makes what is missing of the next days, for every table that is partitioned by time. Several processes at once do no harm.
 * @param keptDays how long rows of these tables are kept @returns names of tables for which one could not be made now: their rows go into
 * the partition that takes what is left over
 */
export async function makePartitionsAhead(db: SqlRunner, keptDays: number, nowMs: number): Promise<string[]> {
  const span = spanOf(keptDays);
  const partitions = await timePartitions(db);
  const failed: string[] = [];
  for (const table of new Set(partitions.map((each) => each.table))) {
    const made = Math.max(...partitions.flatMap(({ table: of, toMs }) => (of === table && toMs !== undefined ? [toMs] : [])));
    for (let from = made > nowMs ? made : startOf(nowMs, span, made); from < nowMs + AHEAD_MS; from = endOf(from, span)) {
      const isMade = await make(db, table, from, endOf(from, span));
      if (!isMade) failed.push(table);
    }
  }
  return [...new Set(failed)];
}

async function make(db: SqlRunner, table: string, fromMs: number, toMs: number): Promise<boolean> {
  try {
    const [row] = await db.query<{ made: boolean }>('SELECT make_time_partition($1, $2, $3) AS made', [table, fromMs, toMs]);
    return row?.made ?? false;
  } catch (error) {
    if (isLockNotAvailable(error)) return false;
    throw error;
  }
}

/** After what there is already, which may reach into it. */
const startOf = (ms: number, span: number, made: number) => Math.max(ms - ((ms - FIRST_MONDAY_MS) % span), made);
const endOf = (ms: number, span: number) => ms - ((ms - FIRST_MONDAY_MS) % span) + span;

/** Up to where rows are deleted and not dropped: what lies after it goes with its partition, once all of that is over. */
export function deletedUpTo(partitions: readonly TimePartition[], overMs: number): number {
  const reached = partitions.find(({ fromMs, toMs }) => fromMs !== undefined && toMs !== undefined && fromMs <= overMs && overMs < toMs);
  return reached?.fromMs ?? overMs;
}

/** Those of which all is over. */
export function partitionsOver(partitions: readonly TimePartition[], overMs: number): TimePartition[] {
  return partitions.filter(({ toMs }) => toMs !== undefined && toMs <= overMs);
}

/**
 * Drops a partition, unless something in it is still open: asked with nobody able to change it meanwhile, so asked for quickly.
 * @param isOpen in the transaction @returns false where it stays: something is open, or the lock was not given in a moment
 */
export async function dropPartition(
  dataSource: DataSource,
  { name }: TimePartition,
  isOpen: (manager: EntityManager) => Promise<boolean> = () => Promise.resolve(false),
): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    try {
      return await dataSource.transaction(async (manager) => {
        await manager.query('SELECT lock_time_partition($1)', [name]);
        if (await isOpen(manager)) return false;
        await manager.query('SELECT drop_time_partition($1)', [name]);
        return true;
      });
    } catch (error) {
      if (!isLockNotAvailable(error)) throw error;
      if (tries === TRIES) return false;
    }
    await sleep(PAUSE_MS);
  }
}

function isLockNotAvailable(error: unknown): boolean {
  return (error as { code?: string }).code === LOCK_NOT_AVAILABLE;
}
