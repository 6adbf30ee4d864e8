import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { changedRows, type SqlRunner } from '../../../database';
import { v7 as uuidv7 } from 'uuid';
import { IntegrationError } from '../../../errors';
import { traceInHand } from '../../../tracing';
import { AuditLog } from '../../audit';
import { CONNECTIONS } from '../../connections';
import { WakeUp } from '../../jobs';
import { RecordStore } from '../records/record-store';
import { WalkRepository } from '../pages/walk.repository';
import { SyncPartRepository } from './sync-part.repository';
import { PRIORITY, RUN_COLUMNS, runOf, type SyncRun, type SyncRunRow } from './sync-run';
import type { SyncTrigger, SyncType } from './sync-run.entity';
import { SyncRunRepository, type RunFilter, type WaitingRuns } from './sync-run.repository';

export interface SyncRequest {
  readonly type: SyncType;
  readonly trigger: SyncTrigger;
  /** Empty or absent: all. */
  readonly resources?: readonly string[];
  /** Lower goes first. Default by the trigger. */
  readonly priority?: number;
  /** One run a connection and slot, ever. */
  readonly slot?: string;
}

const ACTIVE = `status IN ('queued', 'running') AND after_run IS NULL`;
/** A run may end between our failing to add one and our looking for it. */
const MAX_TRIES = 5;

/** Asks for syncs and tells of them; `SyncJobs` does them. */
@Injectable()
export class SyncService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly runs: SyncRunRepository,
    private readonly records: RecordStore,
    private readonly parts: SyncPartRepository,
    private readonly walks: WalkRepository,
    private readonly wakeUp: WakeUp,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Queues a run, or joins the connection's active one: a queued one is widened, a running one is followed by one more that waits for it,
   * as it may have passed what changed (a person, or the clock, that starts what is running already just gets that run). With a `manager`
   * it belongs to that transaction; whoever gave it wakes after the commit, or leaves it to the sweeper. Parts that could not be read are
   * tried again: at once for a person, whom a run that has left them out does not serve.
   */
  async request(connectionId: string, request: SyncRequest, manager?: EntityManager): Promise<{ run: SyncRun; created: boolean }> {
    // The connection's turn before the run's row, as everywhere: else two transactions could wait for each other.
    if (manager) await this.records.lock(manager, connectionId);
    const db = manager ?? this.dataSource;
    const sooner = await this.parts.askAgain(db, connectionId, request.trigger, request.resources ?? []);
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const run = (await this.add(db, connectionId, request)) ?? (await this.join(db, connectionId, request, sooner > 0));
      if (!run) continue;
      if (!manager) this.wake();
      return run;
    }
    throw new IntegrationError('busy');
  }

  /** To be called after the commit of a run that was asked for in a transaction. */
  wake(): void {
    this.wakeUp.wake('sync');
  }

  /** What a connect asks for: once, whoever asks first, its transaction or its event. A connection that comes back goes on from its cursors. */
  async afterConnect(connectionId: string, connectedAt: Date, db?: EntityManager): Promise<SyncRequest> {
    const type = (await this.walks.hasCursor(connectionId, db)) ? 'incremental' : 'full';
    return { type, trigger: 'connect', slot: `connect:${connectedAt.toISOString()}` };
  }

  /** Queues a run within a transaction, unless the connection has an active one; that is joined by `request` afterwards. */
  async queue(connectionId: string, request: SyncRequest, manager: EntityManager): Promise<void> {
    await this.add(manager, connectionId, request);
  }

  /** With a new consent every part is asked anew, and its failures are counted from the start. */
  forgetFailures(connectionId: string, manager?: EntityManager): Promise<void> {
    return this.parts.forget(connectionId, manager);
  }

  /** Ends what is queued or running for the connection. Whoever runs it notices at the next page, or when the lease is extended. */
  async cancelFor(connectionId: string, manager?: EntityManager): Promise<number> {
    if (manager) await this.records.lock(manager, connectionId);
    const rows = await changedRows(
      manager ?? this.dataSource,
      `UPDATE sync_runs SET status = 'cancelled', finished_at = now(), lease_until = NULL, error_code = 'cancelled', error_message = NULL
       WHERE connection_id = $1 AND status IN ('queued', 'running', 'paused') RETURNING id`,
      [connectionId],
    );
    return rows.length;
  }

  /**
   * Lets a run that waits for a confirmation remove what it found missing. The affected partitions are walked again first.
   * @throws IntegrationError `not_found`, `provider_conflict` never; `invalid_request` when the run does not wait
   */
  async confirm(runId: string, tenant?: string): Promise<SyncRun> {
    const run = await this.runs.findById(runId);
    if (!run || (tenant !== undefined && run.tenant !== tenant)) throw new IntegrationError('not_found');
    const row = await this.audit.within({ action: 'sync.confirm', tenant: run.tenant, target: `sync-run:${runId}` }, async (manager) => {
      const [confirmed] = await changedRows<SyncRunRow>(
        manager,
        `UPDATE sync_runs SET status = 'queued', confirmed = true, attempts = 0, next_attempt_at = now(), finished_at = NULL, error_code = NULL, error_message = NULL, priority = 0
         WHERE id = $1 AND status = 'paused' AND NOT EXISTS (SELECT 1 FROM sync_runs a WHERE a.connection_id = $2 AND a.${ACTIVE})
         RETURNING ${RUN_COLUMNS}`,
        [runId, run.connectionId],
      );
      if (!confirmed)
        throw new IntegrationError('invalid_request', {
          detail: 'This run does not wait for a confirmation, or another one is under way.',
        });
      return confirmed;
    });
    this.wake();
    return runOf(row);
  }

  /** A run of this connection. */
  async find(connectionId: string, id: string): Promise<SyncRun | undefined> {
    return (await this.runs.list({ connectionId, id, limit: 1 }))[0];
  }

  /** Of these providers the runs that wait for another try. @param tenant undefined: of all (an operator) */
  failing(tenant: string | undefined, providers: readonly string[]): Promise<WaitingRuns[]> {
    return this.runs.failing(tenant, providers);
  }

  list(filter: RunFilter): Promise<SyncRun[]> {
    return this.runs.list(filter);
  }

  private async add(db: SqlRunner, connectionId: string, request: SyncRequest): Promise<{ run: SyncRun; created: boolean } | undefined> {
    const [row] = await db.query<SyncRunRow>(
      `INSERT INTO sync_runs (id, connection_id, tenant, provider, type, trigger, status, resources, slot, priority, traceparent)
       SELECT $1, c.id, c.tenant, c.provider, $3, $4, 'queued', $5, $6, $7, $8 FROM ${CONNECTIONS} c WHERE c.id = $2 AND c.status <> 'disconnected'
       ON CONFLICT DO NOTHING RETURNING ${RUN_COLUMNS}`,
      [
        uuidv7(),
        connectionId,
        request.type,
        request.trigger,
        request.resources ?? [],
        request.slot ?? null,
        request.priority ?? PRIORITY[request.trigger],
        traceInHand() ?? null,
      ],
    );
    return row && { run: runOf(row), created: true };
  }

  private async join(
    db: SqlRunner,
    connectionId: string,
    request: SyncRequest,
    anew: boolean,
  ): Promise<{ run: SyncRun; created: boolean } | undefined> {
    const [row] = await db.query<SyncRunRow & { of_slot: boolean }>(
      `SELECT ${RUN_COLUMNS}, coalesce(slot = $2, false) AS of_slot FROM sync_runs WHERE connection_id = $1 AND (${ACTIVE} OR slot = $2)
       ORDER BY of_slot DESC, (${ACTIVE}) DESC LIMIT 1`,
      [connectionId, request.slot ?? null],
    );
    if (!row) {
      const [connection] = await db.query<{ status: string }>(`SELECT c.status FROM ${CONNECTIONS} c WHERE c.id = $1`, [connectionId]);
      if (!connection) throw new IntegrationError('connection_not_found');
      if (connection.status === 'disconnected') throw new IntegrationError('not_connected');
      return undefined;
    }
    if (row.of_slot) return { run: runOf(row), created: false };
    const active = row.status === 'queued' || row.status === 'running';
    const served = request.trigger === 'schedule' || (request.trigger === 'manual' && row.status === 'running' && !anew);
    if (!active || (covers(row, request) && served)) return { run: runOf(row), created: false };
    if (row.status === 'running') return this.follow(db, row.id, request);
    const run = await this.widen(db, row.id, request);
    return run && { run, created: false };
  }

  /** A queued run does what is asked as well. */
  private async widen(db: SqlRunner, runId: string, request: SyncRequest): Promise<SyncRun | undefined> {
    const [row] = await changedRows<SyncRunRow>(
      db,
      `UPDATE sync_runs SET type = CASE WHEN $2 = 'full' THEN 'full' ELSE type END, priority = least(priority, $3), resources = ${unionOf('resources', '$4')},
         next_attempt_at = CASE WHEN $5 THEN least(next_attempt_at, now()) ELSE next_attempt_at END
       WHERE id = $1 AND status = 'queued' RETURNING ${RUN_COLUMNS}`,
      [
        runId,
        request.type,
        request.priority ?? PRIORITY[request.trigger],
        request.resources ?? [],
        request.trigger === 'manual' || request.trigger === 'connect',
      ],
    );
    return row && runOf(row);
  }

  /** One run that waits for the one under way, however many ask. @returns undefined where that has ended meanwhile */
  private async follow(db: SqlRunner, runId: string, request: SyncRequest): Promise<{ run: SyncRun; created: boolean } | undefined> {
    const [row] = await db.query<SyncRunRow & { added: boolean }>(
      `INSERT INTO sync_runs AS w (id, connection_id, tenant, provider, type, trigger, status, resources, priority, traceparent, after_run)
       SELECT $1, connection_id, tenant, provider, $3, $4, 'queued', $5, $6, $7, id FROM sync_runs WHERE id = $2 AND status = 'running' FOR UPDATE
       ON CONFLICT (connection_id) WHERE status = 'queued' AND after_run IS NOT NULL DO UPDATE SET
         type = CASE WHEN excluded.type = 'full' THEN 'full' ELSE w.type END, priority = least(w.priority, excluded.priority),
         resources = ${unionOf('w.resources', 'excluded.resources')}
       RETURNING ${RUN_COLUMNS}, xmax = 0 AS added`,
      [
        uuidv7(),
        runId,
        request.type,
        request.trigger,
        request.resources ?? [],
        request.priority ?? PRIORITY[request.trigger],
        traceInHand() ?? null,
      ],
    );
    return row && { run: runOf(row), created: row.added };
  }
}

/** Whether the run does all that is asked. */
function covers(run: SyncRunRow, { type, resources = [] }: SyncRequest): boolean {
  const all = run.resources.length === 0 || (resources.length > 0 && resources.every((name) => run.resources.includes(name)));
  return all && (run.type === 'full' || type === 'incremental');
}

/** Two lists of resources as one; an empty one means all. */
function unionOf(column: string, param: string): string {
  return `CASE WHEN ${column} = '{}' OR ${param}::text[] = '{}' THEN '{}' ELSE ARRAY(SELECT DISTINCT unnest(${column} || ${param}::text[])) END`;
}
