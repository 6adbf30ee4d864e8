import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { asStorageError, asTenant, type RowOf } from '../../database';
import { IntegrationError } from '../../errors';
import { AuditLog } from '../audit';
import { WakeUp } from '../jobs';
import type { DeliveryEntity, DeliveryStatus, DeliveryTry } from './delivery.entity';
import { GIVE_UP_AFTER_MS } from './outbox';

/** One event on its way to one destination. */
export interface Delivery {
  readonly id: string;
  /** The `webhook-id` of every try. */
  readonly messageId: string;
  readonly destinationId: string;
  readonly tenant: string;
  readonly type: string;
  readonly connectionId: string | null;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  /** Of the last try. */
  readonly responseStatus: number | null;
  readonly error: string | null;
  readonly nextAttemptAt: string | null;
  readonly createdAt: string;
  readonly deliveredAt: string | null;
}

/** What a delivery tells of, where that has a page of its own. */
export interface DeliverySubject {
  readonly kind: 'webhook_event' | 'sync_run' | 'alert';
  readonly id: string;
}

export interface DeliveryDetail extends Delivery {
  readonly subject: DeliverySubject | null;
  /** The last tries, oldest first. */
  readonly tries: readonly DeliveryTry[];
}

export interface DeliveryFilter {
  readonly tenant?: string;
  readonly destinationId?: string;
  readonly status?: DeliveryStatus;
  readonly type?: string;
  readonly connectionId?: string;
  /** When what it tells of happened, ISO; `from` is within, `to` is not. */
  readonly from?: string;
  readonly to?: string;
  readonly before?: { readonly at: string; readonly id: string };
  readonly limit: number;
}

type Row = Pick<
  RowOf<DeliveryEntity>,
  | 'id'
  | 'message_id'
  | 'destination_id'
  | 'tenant'
  | 'type'
  | 'status'
  | 'attempts'
  | 'response_status'
  | 'error_code'
  | 'next_attempt_at'
  | 'created_at'
  | 'delivered_at'
> & { connection_id: string | null };

const COLUMNS = `e.id, e.message_id, e.destination_id, e.tenant, e.type, m.connection_id, e.status, e.attempts, e.response_status, e.error_code, e.next_attempt_at,
  e.created_at, e.delivered_at`;
/** $1 tenant, $2 destination, $3 status, $4 type, $5 and $6 where the page before ended, $7 limit, $8 from, $9 to. */
const FILTERED = `($1::text IS NULL OR e.tenant = $1) AND ($2::uuid IS NULL OR e.destination_id = $2) AND ($3::text IS NULL OR e.status = $3)
  AND ($4::text IS NULL OR e.type = $4) AND ($8::timestamptz IS NULL OR e.created_at >= $8) AND ($9::timestamptz IS NULL OR e.created_at < $9)
  AND ($5::timestamptz IS NULL OR (e.created_at, e.id) < ($5::timestamptz, $6::uuid))`;
const NEWEST = 'ORDER BY e.created_at DESC, e.id DESC LIMIT $7';
/** The page first, then its messages: so few are looked up one by one. */
const LIST = `SELECT ${COLUMNS} FROM (SELECT * FROM deliveries e WHERE ${FILTERED} ${NEWEST}) e
  CROSS JOIN LATERAL (SELECT connection_id FROM outbox WHERE id = e.message_id LIMIT 1) m ${NEWEST}`;
/** From the messages of the connection. $10 the connection. */
const LIST_OF_CONNECTION = `SELECT ${COLUMNS} FROM deliveries e JOIN outbox m ON m.id = e.message_id WHERE m.connection_id = $10::uuid AND ${FILTERED} ${NEWEST}`;
const BATCH = 1_000;
/** One for each destination of an organization. */
const MOST_OF_A_MESSAGE = 100;

/** The delivery log, and sending again. */
@Injectable()
export class DeliveryList {
  constructor(
    private readonly dataSource: DataSource,
    private readonly wakeUp: WakeUp,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly audit: AuditLog,
  ) {}

  /** Newest first. */
  async list({ tenant, destinationId, status, type, connectionId, from, to, before, limit }: DeliveryFilter): Promise<Delivery[]> {
    const rows = await this.readAs<Row>(tenant, connectionId === undefined ? LIST : LIST_OF_CONNECTION, [
      tenant ?? null,
      destinationId ?? null,
      status ?? null,
      type ?? null,
      before?.at ?? null,
      before?.id ?? null,
      limit,
      from ?? null,
      to ?? null,
      ...(connectionId === undefined ? [] : [connectionId]),
    ]);
    return rows.map(deliveryOf);
  }

  /** @throws IntegrationError `not_found` */
  async find(id: string, tenant: string | undefined): Promise<DeliveryDetail> {
    const [row] = await this.readAs<Row & Pick<DeliveryEntity, 'log'> & { body: string }>(
      tenant,
      `SELECT ${COLUMNS}, e.log, m.body FROM deliveries e JOIN outbox m ON m.id = e.message_id WHERE e.id = $1 AND ($2::text IS NULL OR e.tenant = $2)`,
      [id, tenant ?? null],
    );
    if (!row) throw deliveryNotFound();
    return { ...deliveryOf(row), subject: subjectOf(row.type, row.body), tries: row.log };
  }

  /** Of one message, to whichever destinations. */
  async ofMessage(messageId: string, tenant: string | undefined): Promise<Delivery[]> {
    const rows = await this.readAs<Row>(
      tenant,
      `SELECT ${COLUMNS} FROM deliveries e JOIN outbox m ON m.id = e.message_id WHERE e.message_id = $1 AND ($2::text IS NULL OR e.tenant = $2)
       ORDER BY e.id LIMIT $3`,
      [messageId, tenant ?? null, MOST_OF_A_MESSAGE],
    );
    return rows.map(deliveryOf);
  }

  /**
   * Sends a delivery again, with the same id and body; what waits is due at once.
   * @throws IntegrationError `not_found`; `invalid_request` where its destination is gone
   */
  async resend(id: string, tenant: string | undefined): Promise<DeliveryDetail> {
    const [owned] = await this.read<{ tenant: string }>(OWNER, [id, tenant ?? null]);
    if (!owned) throw deliveryNotFound();
    const act = { action: 'delivery.resend' as const, tenant: owned.tenant, target: `delivery:${id}` };
    await this.audit.within(act, async (manager) => {
      const [found] = await manager.query<{ status: DeliveryStatus; again: boolean }[]>(RESEND_ONE, [id, owned.tenant, this.giveUpAt()]);
      if (!found) throw deliveryNotFound();
      if (!found.again && found.status !== 'sending')
        throw new IntegrationError('invalid_request', { detail: 'The destination of this delivery was removed.' });
    });
    this.wakeUp.wake('deliveries');
    return this.find(id, owned.tenant);
  }

  /** Sends again what a tenant's destination was not given, e.g. after a long outage. @returns how many */
  resendDead(destinationId: string, tenant: string, since?: string): Promise<number> {
    const act = { action: 'delivery.resend' as const, tenant, target: `destination:${destinationId}` };
    return this.audit.around(act, () => this.resendInBatches(destinationId, tenant, since));
  }

  private async resendInBatches(destinationId: string, tenant: string, since?: string): Promise<number> {
    for (let total = 0; ;) {
      const rows = await this.read<{ id: string }>(RESEND_DEAD, [destinationId, tenant, this.giveUpAt(), since ?? null, BATCH]);
      total += rows.length;
      if (rows.length > 0) this.wakeUp.wake('deliveries');
      if (rows.length < BATCH) return total;
    }
  }

  private giveUpAt(): Date {
    return new Date(this.clock.now() + GIVE_UP_AFTER_MS);
  }

  private async readAs<T extends object>(tenant: string | undefined, sql: string, params: readonly unknown[]): Promise<T[]> {
    try {
      return await asTenant(this.dataSource, tenant).query<T>(sql, [...params]);
    } catch (error) {
      throw asStorageError(error);
    }
  }

  private async read<T>(sql: string, params: readonly unknown[]): Promise<T[]> {
    try {
      return await this.dataSource.query<T[]>(sql, [...params]);
    } catch (error) {
      throw asStorageError(error);
    }
  }
}

const ANEW = `status = 'pending', once = false, next_attempt_at = now(), give_up_at = $3, delivered_at = NULL`;
const HAS_DESTINATION = 'EXISTS (SELECT 1 FROM destinations d WHERE d.id = e.destination_id)';

const OWNER = 'SELECT tenant FROM deliveries WHERE id = $1 AND ($2::text IS NULL OR tenant = $2)';

const RESEND_ONE = `
  WITH again AS (
    UPDATE deliveries e SET ${ANEW} WHERE e.id = $1 AND e.tenant = $2 AND e.status <> 'sending' AND ${HAS_DESTINATION} RETURNING e.id)
  SELECT e.status, EXISTS (SELECT 1 FROM again) AS again FROM deliveries e WHERE e.id = $1 AND e.tenant = $2`;

const RESEND_DEAD = `
  WITH dead AS MATERIALIZED (
    SELECT e.id FROM deliveries e WHERE e.destination_id = $1 AND e.tenant = $2 AND e.status = 'dead' AND NOT e.once
      AND ($4::timestamptz IS NULL OR e.created_at >= $4) AND ${HAS_DESTINATION} ORDER BY e.created_at LIMIT $5 FOR UPDATE SKIP LOCKED),
  again AS (UPDATE deliveries e SET ${ANEW} WHERE e.id = ANY (ARRAY(SELECT id FROM dead)) RETURNING e.id)
  SELECT id FROM again`;

const SUBJECTS: Readonly<Record<string, readonly [kind: DeliverySubject['kind'], member: string]>> = {
  'webhook.received': ['webhook_event', 'id'],
  'sync.completed': ['sync_run', 'runId'],
  'sync.failed': ['sync_run', 'runId'],
  'alert.opened': ['alert', 'id'],
  'alert.resolved': ['alert', 'id'],
};

/** The message says of what it tells. */
function subjectOf(type: string, body: string): DeliverySubject | null {
  const [kind, member] = (Object.hasOwn(SUBJECTS, type) ? SUBJECTS[type] : undefined) ?? [];
  if (!kind || !member) return null;
  const { data } = JSON.parse(body) as { data?: Readonly<Record<string, unknown>> };
  const id = data?.[member];
  return typeof id === 'string' ? { kind, id } : null;
}

function deliveryNotFound(): IntegrationError {
  return new IntegrationError('not_found', { detail: 'There is no such delivery.' });
}

function deliveryOf(row: Row): Delivery {
  return {
    id: row.id,
    messageId: row.message_id,
    destinationId: row.destination_id,
    tenant: row.tenant,
    type: row.type,
    connectionId: row.connection_id,
    status: row.status,
    attempts: row.attempts,
    responseStatus: row.response_status,
    error: row.error_code,
    nextAttemptAt: row.status === 'pending' ? row.next_attempt_at.toISOString() : null,
    createdAt: row.created_at.toISOString(),
    deliveredAt: row.delivered_at?.toISOString() ?? null,
  };
}
