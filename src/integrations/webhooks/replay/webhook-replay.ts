import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { asStorageError, inTransaction } from '../../../database';
import { IntegrationError } from '../../../errors';
import { visibleTenant, type Principal } from '../../../http-api';
import { AuditLog, type AuditedAct } from '../../audit';
import { WakeUp } from '../../jobs';
import { ANEW, askedFor, REPLAYABLE_AND_HELD, replayableOf } from './replayable';
import { WebhookReplayEntity } from './webhook-replay.entity';
import { WebhookEventList, type EventFilter, type StoredEventView } from './webhook-event.list';

/** Who asks, and what may be touched: `tenant` undefined is everything. */
export interface ReplayActor {
  readonly tenant?: string;
  /** For the audit, e.g. `acme/u1`. */
  readonly name: string;
}

export function replayActorOf(caller: Principal): ReplayActor {
  return { tenant: visibleTenant(caller), name: `${caller.tenant}/${caller.userId}` };
}

export interface ReplayReport {
  readonly matched: number;
  /** 0 for a dry run. */
  readonly replayed: number;
  readonly dryRun: boolean;
}

const BATCH = 500;

/** Puts events back into the inbox: they go the same way as when they came first. Every replay is noted with who asked for it. */
@Injectable()
export class WebhookReplay {
  constructor(
    private readonly dataSource: DataSource,
    private readonly list: WebhookEventList,
    private readonly wakeUp: WakeUp,
    private readonly audit: AuditLog,
  ) {}

  /** @throws IntegrationError `not_found`; `invalid_request` where the payload's time is over */
  async one(id: string, actor: ReplayActor): Promise<StoredEventView> {
    const before = await this.list.find(id, actor.tenant); // before the transaction: it has the only connection
    const replayed = await inTransaction(this.dataSource, async (manager) => {
      const rows = await manager.query<{ tenant: string | null }[]>(
        `WITH anew AS (UPDATE webhook_events SET ${ANEW} WHERE id = $1 AND ${REPLAYABLE_AND_HELD} RETURNING tenant) SELECT tenant FROM anew`,
        [id],
      );
      const [anew] = rows;
      if (anew) {
        await this.note(manager, actor, { id }, 1);
        await this.audit.record(replayOf(anew.tenant, `webhook-event:${id}`), 'ok', { runner: manager });
      }
      return anew !== undefined;
    });
    if (!replayed && ['completed', 'failed', 'dead'].includes(before.status)) {
      throw new IntegrationError('invalid_request', {
        detail: 'The payload of this event is no longer kept.',
        nextStep: 'Run a sync to read the current state.',
      });
    }
    if (replayed) this.wakeUp.wake('webhooks');
    return this.list.find(id, actor.tenant);
  }

  /** What failed or died, unless the filter names another status. */
  async many(filter: EventFilter, actor: ReplayActor, dryRun: boolean): Promise<ReplayReport> {
    const visible: EventFilter = { ...filter, ...(actor.tenant !== undefined && { tenant: actor.tenant }) };
    try {
      const { counted, matched, last } = await replayableOf(this.dataSource, visible);
      if (dryRun || last === undefined) return { matched, replayed: 0, dryRun };
      await this.note(this.dataSource.manager, actor, visible, matched);
      const acts = counted.map((each) => replayOf(each.tenant, `webhook-events:${each.matched}`));
      return { matched, replayed: await this.audit.around(acts, () => this.inBatches(visible, last)), dryRun };
    } catch (error) {
      throw asStorageError(error);
    }
  }

  /** From id to id up to the last one that was counted. */
  private async inBatches(filter: EventFilter, last: string): Promise<number> {
    const { sql: where, params } = askedFor(filter);
    const from = `$${params.length + 1}`;
    const to = `$${params.length + 2}`;
    let replayed = 0;
    let after = '00000000-0000-0000-0000-000000000000';
    for (;;) {
      const rows = await this.dataSource.query<{ id: string }[]>(
        `WITH picked AS (SELECT id FROM webhook_events WHERE ${where} AND ${REPLAYABLE_AND_HELD} AND id > ${from}::uuid AND id <= ${to}::uuid ORDER BY id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED),
           anew AS (UPDATE webhook_events SET ${ANEW} WHERE id = ANY (ARRAY(SELECT id FROM picked)) RETURNING id)
         SELECT id::text AS id FROM anew ORDER BY id`,
        [...params, after, last],
      );
      replayed += rows.length;
      this.wakeUp.wake('webhooks');
      const end = rows.at(-1);
      if (!end || rows.length < BATCH) return replayed;
      after = end.id;
    }
  }

  private async note(manager: EntityManager, actor: ReplayActor, filter: object, matched: number): Promise<void> {
    await manager.insert(WebhookReplayEntity, { id: uuidv7(), tenant: actor.tenant ?? null, actor: actor.name, filter, matched });
  }
}

function replayOf(tenant: string | null, target: string): AuditedAct {
  return { action: 'webhook.replay', tenant: tenant ?? '', target };
}
