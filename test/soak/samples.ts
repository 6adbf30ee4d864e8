import { readdirSync, readFileSync } from 'node:fs';
import type { World } from '../faults/lib/world';

/** The state of the service at one moment. */
export interface Sample {
  /** Since the start, s. */
  readonly at: number;
  /** Of the first process, MiB. */
  readonly memory: number | null;
  /** Open files and sockets of the first process. */
  readonly handles: number | null;
  /** Of the service at the database server. */
  readonly connections: number | null;
  /** Events that wait. */
  readonly waiting: number | null;
  /** How long the oldest has been due, s. */
  readonly lag: number | null;
  /** Messages that wait for the destination. */
  readonly unsent: number | null;
  /** All tables with their indexes, MiB. */
  readonly tables: number | null;
}

export const MEASURES = ['memory', 'handles', 'connections', 'waiting', 'lag', 'unsent', 'tables'] as const;

const STATE = `SELECT
  (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()) AS connections,
  (SELECT count(*)::int FROM webhook_events WHERE status IN ('received', 'failed', 'processing')) AS waiting,
  (SELECT greatest(0, coalesce(extract(epoch FROM now() - min(next_attempt_at)), 0))::float8 FROM webhook_events WHERE status IN ('received', 'failed')) AS lag,
  (SELECT count(*)::int FROM deliveries WHERE status IN ('pending', 'sending')) AS unsent,
  (SELECT (sum(pg_total_relation_size(c.oid)) / 1048576)::float8 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'm')) AS tables`;

export const TABLE_SIZES = `SELECT c.relname AS name, pg_total_relation_size(c.oid)::float8 AS bytes FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY 2 DESC LIMIT 12`;

/** What cannot be read at the moment (the database restarts, the process is away) is null. */
export async function sample(world: World, startedAt: number): Promise<Sample> {
  const pid = world.cluster.members[0]?.process.child.pid;
  const [state] = (await world.ask<Omit<Sample, 'at' | 'memory' | 'handles'>>(STATE)) ?? [];
  const none = { memory: null, handles: null, connections: null, waiting: null, lag: null, unsent: null, tables: null };
  // A process that is only about to be there says nothing of one that works.
  return { at: Math.round((Date.now() - startedAt) / 100) / 10, ...none, ...(state && { ...ofProcess(pid), ...state }) };
}

function ofProcess(pid: number | undefined): Pick<Sample, 'memory' | 'handles'> {
  try {
    const kib = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    return { memory: Math.round(kib / 102.4) / 10, handles: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return { memory: null, handles: null };
  }
}

export function median(values: readonly (number | null)[]): number {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  return known[Math.floor(known.length / 2)] ?? NaN;
}
