import { Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { v7 as uuid } from 'uuid';
import type { Outcome } from '../call';
import { asService } from '../../../database';
import { FigureCollector } from '../../figures';
import { requestLogDropped } from '../outbound-metrics';

export interface RequestLogEntry {
  readonly at: number;
  readonly provider: string;
  readonly tenant?: string | undefined;
  readonly connectionId?: string | undefined;
  readonly method: string;
  readonly endpoint: string;
  readonly status?: number | undefined;
  readonly outcome: Outcome;
  readonly errorCode?: string | undefined;
  readonly providerCode?: string | undefined;
  readonly attempt: number;
  readonly durationMs: number;
  readonly requestId?: string | undefined;
  readonly operation?: string | undefined;
  /** How it counts for health; `nothing` for what says nothing about the provider. */
  readonly counts: 'ok' | 'failed' | 'server_error' | 'nothing';
}

/** As it is written, under the names of its columns; with the id that makes writing it twice the same as once. */
type Row = ReturnType<typeof rowOf>;

interface Sum {
  minute: number;
  provider: string;
  tenant: string;
  connectionId: string;
  ok: number;
  failed: number;
  /** Of those that failed: put off by the provider's limits. */
  limited: number;
  serverErrors: number;
  durationMs: number;
  lastOkAt?: number;
  lastFailedAt?: number;
}

const NO_CONNECTION = '00000000-0000-0000-0000-000000000000';
const MINUTE_MS = 60_000;

export const REQUEST_LOG_DEFAULTS = {
  /** Time between writes, ms. */
  flushEveryMs: 500,
  /** Rows kept in memory while the store does not take them; the oldest go first. At half of it the next write does not wait for its time. */
  maxRows: 10_000,
  /** Rows of one statement. */
  batch: 1_000,
};

/** Writes the request log and its minute sums, in batches, beside the calls: a slow or missing store never holds up a call. */
@Injectable()
export class RequestLogWriter implements OnModuleInit, BeforeApplicationShutdown {
  /** Ids of one process differ by their number, those of two by chance: as unique as drawn one by one, at a fraction of the price. */
  private readonly random = randomBytes(16);
  private added = 0;
  private rows: Row[] = [];
  private sums = new Map<string, Sum>();
  private timer?: NodeJS.Timeout;
  private writing?: Promise<void>;
  /** The last write failed: the next one waits for its time, however much there is. */
  private away = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly figures: FigureCollector,
  ) {}

  onModuleInit(): void {
    // Real time: how often memory is emptied has nothing to do with the time that the log speaks of.
    this.timer = setInterval(() => void this.flush(), REQUEST_LOG_DEFAULTS.flushEveryMs);
    this.timer.unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  add(entry: RequestLogEntry): void {
    this.rows.push(rowOf(uuid({ msecs: entry.at, seq: this.added++, random: this.random }), entry));
    if (entry.counts !== 'nothing') {
      this.count(entry);
      const { outcome, durationMs } = entry;
      this.figures.request(entry, {
        ok: entry.counts === 'ok',
        limited: outcome === 'rate_limited',
        latencyMs: outcome === 'not_sent' ? undefined : durationMs,
      });
    }
    if (this.rows.length < REQUEST_LOG_DEFAULTS.maxRows / 2) return;
    if (!this.away && !this.writing) void this.flush();
    else this.dropOldest();
  }

  /** Writes what there is now. Never throws: what could not be written is tried again, up to the bound. */
  async flush(): Promise<void> {
    while (this.writing) await this.writing;
    if (this.rows.length === 0 && this.sums.size === 0) return;
    this.writing = asService(() => this.write()).finally(() => (this.writing = undefined));
    await this.writing;
  }

  private async write(): Promise<void> {
    const rows = this.rows;
    const sums = this.sums;
    this.rows = [];
    this.sums = new Map();
    try {
      await this.dataSource.transaction(async (manager) => {
        const query = (sql: string, values: unknown[]) => manager.query(sql, values);
        for (let at = 0; at < rows.length; at += REQUEST_LOG_DEFAULTS.batch)
          await insertRows(query, rows.slice(at, at + REQUEST_LOG_DEFAULTS.batch));
        await upsertSums(query, [...sums.values()]);
      });
      this.away = false;
    } catch {
      this.away = true;
      // The log is the only thing that could tell, and it is what failed: kept within the bound, and drops are a metric.
      this.rows = [...rows, ...this.rows];
      this.dropOldest();
      for (const sum of sums.values()) this.merge(sum);
    }
  }

  private dropOldest(): void {
    const over = this.rows.length - REQUEST_LOG_DEFAULTS.maxRows;
    if (over <= 0) return;
    // A batch at once: to move thousands of rows up for each new one would cost more than the calls.
    const dropped = this.rows.splice(0, Math.max(over, REQUEST_LOG_DEFAULTS.batch));
    requestLogDropped.inc(dropped.length);
  }

  private count(entry: RequestLogEntry): void {
    const minute = Math.floor(entry.at / MINUTE_MS) * MINUTE_MS;
    // What is for no connection is one sum, of all organizations' apps.
    const { connectionId = NO_CONNECTION, tenant = '' } = entry;
    const sum = this.sumOf(minute, entry.provider, connectionId, connectionId === NO_CONNECTION ? '' : tenant);
    if (!sum) return;
    sum.durationMs += Math.round(entry.durationMs);
    if (entry.counts === 'ok') {
      sum.ok++;
      sum.lastOkAt = later(sum.lastOkAt, entry.at);
      return;
    }
    sum.failed++;
    sum.lastFailedAt = later(sum.lastFailedAt, entry.at);
    if (entry.counts === 'server_error') sum.serverErrors++;
    if (entry.outcome === 'rate_limited') sum.limited++;
  }

  private sumOf(minute: number, provider: string, connectionId: string, tenant: string): Sum | undefined {
    const key = `${minute} ${provider} ${connectionId}`;
    let sum = this.sums.get(key);
    // Bounded by connections and minutes; past that the store has been away for very long.
    if (!sum && this.sums.size < 5 * REQUEST_LOG_DEFAULTS.maxRows)
      this.sums.set(key, (sum = { minute, provider, tenant, connectionId, ok: 0, failed: 0, limited: 0, serverErrors: 0, durationMs: 0 }));
    return sum;
  }

  private merge(sum: Sum): void {
    const known = this.sumOf(sum.minute, sum.provider, sum.connectionId, sum.tenant);
    if (!known) return;
    known.ok += sum.ok;
    known.failed += sum.failed;
    known.limited += sum.limited;
    known.serverErrors += sum.serverErrors;
    known.durationMs += sum.durationMs;
    known.lastOkAt = later(known.lastOkAt, sum.lastOkAt);
    known.lastFailedAt = later(known.lastFailedAt, sum.lastFailedAt);
  }
}

type Query = (sql: string, values: unknown[]) => Promise<unknown>;

function rowOf(id: string, entry: RequestLogEntry) {
  return {
    id,
    at: entry.at / 1_000,
    provider: entry.provider,
    tenant: entry.tenant,
    connection_id: entry.connectionId,
    method: entry.method,
    endpoint: entry.endpoint.slice(0, 300),
    status: entry.status,
    outcome: entry.outcome,
    error_code: entry.errorCode?.slice(0, 100),
    provider_code: entry.providerCode?.slice(0, 100),
    attempt: entry.attempt,
    duration_ms: Math.round(entry.durationMs),
    request_id: entry.requestId,
    operation: entry.operation?.slice(0, 100),
  };
}

/** One text for all rows: to spell out an array for each column takes the process several times as long. */
async function insertRows(query: Query, rows: Row[]): Promise<void> {
  await query(
    `INSERT INTO request_log (id, at, provider, tenant, connection_id, method, endpoint, status, outcome, error_code, provider_code, attempt, duration_ms, request_id, operation)
     SELECT id, to_timestamp(at), provider, tenant, connection_id, method, endpoint, status, outcome, error_code, provider_code, attempt, duration_ms, request_id, operation
     FROM json_to_recordset($1::json) AS r (id uuid, at float8, provider text, tenant text, connection_id uuid, method text, endpoint text, status int,
       outcome text, error_code text, provider_code text, attempt int, duration_ms int, request_id text, operation text)
     ON CONFLICT (id) DO NOTHING`,
    [JSON.stringify(rows)],
  );
}

async function upsertSums(query: Query, sums: Sum[]): Promise<void> {
  if (sums.length === 0) return;
  // One order everywhere: two processes never wait for each other in a circle.
  sums.sort((a, b) => a.minute - b.minute || (a.provider + a.connectionId < b.provider + b.connectionId ? -1 : 1));
  const column = <T>(read: (sum: Sum) => T) => sums.map(read);
  const time = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
  await query(
    `INSERT INTO request_buckets AS b (minute, provider, tenant, connection_id, ok, failed, server_errors, duration_ms, last_ok_at, last_failed_at, limited)
     SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::uuid[], $5::int[], $6::int[], $7::int[], $8::bigint[], $9::timestamptz[], $10::timestamptz[], $11::int[])
     ON CONFLICT (minute, provider, connection_id) DO UPDATE SET ok = b.ok + excluded.ok, failed = b.failed + excluded.failed,
       server_errors = b.server_errors + excluded.server_errors, duration_ms = b.duration_ms + excluded.duration_ms, limited = b.limited + excluded.limited,
       last_ok_at = greatest(b.last_ok_at, excluded.last_ok_at), last_failed_at = greatest(b.last_failed_at, excluded.last_failed_at)`,
    [
      column((sum) => time(sum.minute)),
      column((sum) => sum.provider),
      column((sum) => sum.tenant),
      column((sum) => sum.connectionId),
      column((sum) => sum.ok),
      column((sum) => sum.failed),
      column((sum) => sum.serverErrors),
      column((sum) => sum.durationMs),
      column((sum) => time(sum.lastOkAt)),
      column((sum) => time(sum.lastFailedAt)),
      column((sum) => sum.limited),
    ],
  );
}

function later(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b);
}
