import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { asStorageError, asTenant, inTransaction, type RowOf } from '../../../database';
import { IntegrationError } from '../../../errors';
import { AuditLog } from '../../audit';
import { WakeUp } from '../../jobs';
import { replayableOf } from './replayable';
import { OPEN } from './replay-run.queries';
import type { ReplayState, WebhookReplayEntity } from './webhook-replay.entity';
import type { ReplayActor } from './webhook-replay';
import type { EventFilter } from './webhook-event.list';

/** Events that are processed again, batch by batch. */
export interface ReplayRun {
  readonly id: string;
  /** Of whose events; null: of all. */
  readonly tenant: string | null;
  /** Who asked, e.g. `acme/u1`. */
  readonly actor: string;
  readonly filter: EventFilter;
  readonly state: ReplayState;
  /** Events that matched when it was asked for. */
  readonly total: number;
  readonly done: number;
  /** Failed again: they are tried again by themselves, or were given up. */
  readonly failed: number;
  /** Could not be replayed when their turn came. */
  readonly skipped: number;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

type Row = Pick<
  RowOf<WebhookReplayEntity>,
  'id' | 'tenant' | 'actor' | 'state' | 'matched' | 'done' | 'failed' | 'skipped' | 'at' | 'started_at' | 'ended_at'
> & { filter: EventFilter };

const COLUMNS = 'id, tenant, actor, filter, state, matched, done, failed, skipped, at, started_at, ended_at';
/** Runs of an organization that are not over. */
export const MOST_OPEN = 20;
const NONE = '00000000-0000-0000-0000-000000000000';

/** Replays as runs: asked for, looked at, cancelled. `ReplayJobs` works them off. */
@Injectable()
export class ReplayRuns {
  constructor(
    private readonly dataSource: DataSource,
    private readonly wakeUp: WakeUp,
    private readonly audit: AuditLog,
  ) {}

  /**
   * What failed or was given up, unless the filter names another status; of the actor's organization alone.
   * @throws IntegrationError `too_many_requests` where too many are not over yet
   */
  async start(asked: EventFilter, actor: ReplayActor): Promise<ReplayRun> {
    const filter: EventFilter = { ...asked, ...(actor.tenant !== undefined && { tenant: actor.tenant }) };
    const id = uuidv7();
    const work = async () => {
      const { counted, matched, last = NONE } = await replayableOf(this.dataSource, filter);
      await inTransaction(this.dataSource, async (manager) => {
        await assertRoom(manager, actor.tenant ?? null);
        await manager.query(
          `INSERT INTO webhook_replays (id, tenant, actor, filter, matched, state, after_id, last_id) VALUES ($1, $2, $3, $4, $5, 'queued', '${NONE}', $6)`,
          [id, actor.tenant ?? null, actor.name, JSON.stringify(filter), matched, last],
        );
        for (const each of counted)
          await this.audit.record({ action: 'webhook.replay', tenant: each.tenant ?? '', target: `replay:${id}` }, 'ok', {
            runner: manager,
          });
      });
    };
    await work().catch((error: unknown) => {
      throw asStorageError(error);
    });
    this.wakeUp.wake('replays');
    return this.find(id, actor.tenant);
  }

  /** The newest first. @param tenant undefined: of all (an operator) */
  async list(tenant: string | undefined, limit: number, before?: { readonly id: string }): Promise<ReplayRun[]> {
    const rows = await asTenant(this.dataSource, tenant).query<Row>(
      `SELECT ${COLUMNS} FROM webhook_replays WHERE last_id IS NOT NULL AND ($1::text IS NULL OR tenant = $1) AND ($2::uuid IS NULL OR id < $2)
       ORDER BY id DESC LIMIT $3`,
      [tenant ?? null, before?.id ?? null, limit],
    );
    return rows.map(runOf);
  }

  /** @throws IntegrationError `not_found` */
  async find(id: string, tenant: string | undefined): Promise<ReplayRun> {
    const [row] = await asTenant(this.dataSource, tenant).query<Row>(
      `SELECT ${COLUMNS} FROM webhook_replays WHERE id = $1 AND last_id IS NOT NULL AND ($2::text IS NULL OR tenant = $2)`,
      [id, tenant ?? null],
    );
    if (!row) throw new IntegrationError('not_found', { detail: 'There is no such replay.' });
    return runOf(row);
  }

  /** Nothing more is put back; what is back already is processed. One that is over stays as it is. @throws IntegrationError `not_found` */
  async cancel(id: string, tenant: string | undefined): Promise<ReplayRun> {
    const before = await this.find(id, tenant);
    await inTransaction(this.dataSource, async (manager) => {
      const cancelled = await manager.query<{ id: string }[]>(
        `WITH asked AS (UPDATE webhook_replays SET state = 'cancelling', next_attempt_at = now()
           WHERE id = $1 AND ($2::text IS NULL OR tenant = $2) AND ${OPEN} AND state <> 'cancelling' RETURNING id) SELECT id FROM asked`,
        [id, tenant ?? null],
      );
      if (cancelled.length > 0)
        await this.audit.record({ action: 'webhook.replay-cancel', tenant: before.tenant ?? '', target: `replay:${id}` }, 'ok', {
          runner: manager,
        });
    });
    this.wakeUp.wake('replays');
    return this.find(id, tenant);
  }
}

/** Who ask at once take turns. */
async function assertRoom(manager: EntityManager, tenant: string | null): Promise<void> {
  await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [JSON.stringify(['replays', tenant])]);
  const [open] = await manager.query<{ n: number }[]>(
    `SELECT count(*)::int AS n FROM webhook_replays WHERE ${OPEN} AND tenant IS NOT DISTINCT FROM $1::text`,
    [tenant],
  );
  if ((open?.n ?? 0) >= MOST_OPEN)
    throw new IntegrationError('too_many_requests', {
      detail: `${MOST_OPEN} replays are not over yet.`,
      nextStep: 'Wait until one is over, or cancel one.',
      retryAfterMs: 10_000,
    });
}

function runOf(row: Row): ReplayRun {
  const { id, tenant, actor, filter, state, matched: total, done, failed, skipped } = row;
  return {
    ...{ id, tenant, actor, filter, state, total, done, failed, skipped },
    createdAt: row.at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    endedAt: row.ended_at?.toISOString() ?? null,
  };
}
