import type { RowOf } from '../../../database';
import { ERROR_KINDS, type ErrorCode } from '../../../errors';
import type { PartView } from '../../connections';
import type { PartShapeErrors, SyncRunEntity, SyncStatus, SyncTrigger, SyncType } from './sync-run.entity';

/** A run of a connection's sync, as stored. */
export interface SyncRun {
  readonly id: string;
  readonly connectionId: string;
  readonly tenant: string;
  readonly provider: string;
  readonly type: SyncType;
  readonly trigger: SyncTrigger;
  readonly status: SyncStatus;
  /** Empty: all. */
  readonly resources: readonly string[];
  /** Starts since the last page that was stored. */
  readonly attempts: number;
  /** Grows with each claim: what an earlier claim still writes is refused. */
  readonly fence: number;
  readonly confirmed: boolean;
  readonly counts: SyncCounts;
  /** How much the list that is read holds, where the provider says so. */
  readonly total: number | null;
  /** The resource that is read, or was read last, and how much of `counts.fetched` came before it. */
  readonly at: { readonly resource: string; readonly before: number } | null;
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
  /** Those of what it was about that could not be read when it ended. */
  readonly parts: readonly PartView[];
  /** What it stored as it came, since it does not have the declared shape. */
  readonly shapeErrors: readonly PartShapeErrors[];
  /** When it is tried again, where a try failed: the run's own, or a call's of one that is running. */
  readonly nextTryAt: Date | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** Where it was asked for, of its trace. */
  readonly traceparent: string | null;
}

export interface SyncCounts {
  readonly fetched: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly deleted: number;
}

/** A run as callers read it. */
export interface SyncRunView {
  readonly id: string;
  readonly connectionId: string;
  readonly provider: string;
  readonly type: SyncType;
  readonly trigger: SyncTrigger;
  readonly status: Exclude<SyncStatus, 'paused'>;
  readonly resources: readonly string[];
  readonly counts: SyncCounts;
  /** `resource`: what is read, or was read last. */
  readonly progress: { readonly fetched: number; readonly total: number | null; readonly resource: string | null };
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly nextStep: string } | null;
  readonly nextTryAt: string | null;
  readonly parts: readonly PartView[];
  readonly shapeErrors: readonly (Omit<PartShapeErrors, 'partition'> & { readonly partition: string | null })[];
}

/** A row of `sync_runs`, its columns as `RUN_COLUMNS`. */
export type SyncRunRow = Omit<RowOf<SyncRunEntity>, 'slot' | 'priority' | 'lease_owner' | 'lease_until' | 'after_run'>;

export const RUN_COLUMNS = `id, connection_id, tenant, provider, type, trigger, status, resources, attempts, fence, confirmed,
  fetched, created, updated, unchanged, deleted, total, progress, parts, shape_errors, error_code, error_message, next_attempt_at, created_at, started_at, finished_at, traceparent`;

/** Of more parts than so many a run names no more. */
export const MOST_NAMED = 100;

/** Lower goes first: a person who waits, then a change that was told of, then the clock. */
export const PRIORITY: Readonly<Record<SyncTrigger, number>> = { connect: 0, manual: 0, webhook: 3, schedule: 5 };

export function runOf(row: SyncRunRow): SyncRun {
  const { fetched, created, updated, unchanged, deleted } = row;
  return {
    id: row.id,
    connectionId: row.connection_id,
    tenant: row.tenant,
    provider: row.provider,
    type: row.type,
    trigger: row.trigger,
    status: row.status,
    resources: row.resources,
    attempts: row.attempts,
    fence: row.fence,
    confirmed: row.confirmed,
    counts: { fetched, created, updated, unchanged, deleted },
    total: row.total,
    at: row.progress.resource === undefined ? null : { resource: row.progress.resource, before: row.progress.before ?? 0 },
    error: row.error_code ? { code: row.error_code, message: row.error_message ?? ERROR_KINDS[row.error_code].detail } : null,
    parts: row.parts,
    shapeErrors: Object.values(row.shape_errors),
    nextTryAt: isUnderWay(row) && row.error_code ? row.next_attempt_at : null,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    traceparent: row.traceparent,
  };
}

function isUnderWay({ status }: SyncRunRow): boolean {
  return status === 'queued' || status === 'running';
}

export function viewOf(run: SyncRun): SyncRunView {
  const { id, connectionId, provider, type, trigger, resources, counts } = run;
  return {
    id,
    connectionId,
    provider,
    type,
    trigger,
    // to a caller a paused run has failed with `confirmation_required`
    status: run.status === 'paused' ? 'failed' : run.status,
    resources,
    counts,
    progress: { fetched: counts.fetched, total: run.total, resource: run.at?.resource ?? null },
    createdAt: run.createdAt.toISOString(),
    startedAt: run.startedAt?.toISOString() ?? null,
    finishedAt: run.finishedAt?.toISOString() ?? null,
    error: run.error && { ...run.error, nextStep: ERROR_KINDS[run.error.code].nextStep },
    nextTryAt: run.nextTryAt?.toISOString() ?? null,
    parts: run.parts,
    shapeErrors: run.shapeErrors.slice(0, MOST_NAMED).map((part) => ({ ...part, partition: part.partition || null })),
  };
}
