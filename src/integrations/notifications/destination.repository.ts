import { Inject, Injectable } from '@nestjs/common';
import { DataSource, In, type EntityManager } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { asStorageError, type SqlRunner } from '../../database';
import { DeliveryEntity } from './delivery.entity';
import type { DestinationInput, DestinationRow, NewDestination } from './destination';
import { DestinationEntity } from './destination.entity';

/** Counting what waits stops here: a number beside the destination, not a report. */
const MOST_COUNTED = 10_000;

const COLUMNS = `d.*,
  (SELECT count(*)::int FROM destination_secrets s WHERE s.destination_id = d.id AND (s.expires_at IS NULL OR s.expires_at > $1)) AS secrets,
  (SELECT count(*)::int FROM (SELECT 1 FROM deliveries e WHERE e.destination_id = d.id AND e.status = 'pending' LIMIT ${MOST_COUNTED}) w) AS waiting`;

const WELL: Partial<DestinationEntity> = {
  status: 'active',
  pausedReason: null,
  pausedAt: null,
  failures: 0,
  failingSince: null,
  retryAt: null,
  lastError: null,
};

/** Where webhooks go. A tenant of undefined is an operator's: everybody's. */
@Injectable()
export class DestinationRepository {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  list(tenant: string | undefined, limit: number, after?: string): Promise<DestinationRow[]> {
    return this.rows(
      this.dataSource,
      `SELECT ${COLUMNS} FROM destinations d WHERE ($2::text IS NULL OR d.tenant = $2) AND ($3::uuid IS NULL OR d.id > $3) ORDER BY d.id LIMIT $4`,
      [tenant ?? null, after ?? null, limit],
    );
  }

  async find(id: string, tenant: string | undefined, runner: SqlRunner = this.dataSource): Promise<DestinationRow | undefined> {
    const [row] = await this.rows(runner, `SELECT ${COLUMNS} FROM destinations d WHERE d.id = $2 AND ($3::text IS NULL OR d.tenant = $3)`, [
      id,
      tenant ?? null,
    ]);
    return row;
  }

  /** Locks the destination until the transaction ends, so that two changes of it follow one another. @returns its tenant */
  async hold(manager: EntityManager, id: string, tenant: string | undefined): Promise<string | undefined> {
    const [row] = await manager.query<{ tenant: string }[]>(
      'SELECT tenant FROM destinations WHERE id = $1 AND ($2::text IS NULL OR tenant = $2) FOR UPDATE',
      [id, tenant ?? null],
    );
    return row?.tenant;
  }

  /** @returns how many the tenant has with this one; concurrent creations of a tenant wait for each other */
  async insert(manager: EntityManager, id: string, tenant: string, input: NewDestination): Promise<number> {
    await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`destinations:${tenant}`]);
    const at = this.now();
    const { scope, ordered } = input;
    await manager.insert(DestinationEntity, { id, tenant, scope, ordered, ...columnsOf(input), createdAt: at, updatedAt: at });
    return manager.countBy(DestinationEntity, { tenant });
  }

  async update(manager: EntityManager, id: string, change: Partial<DestinationInput>): Promise<void> {
    await manager.update(DestinationEntity, { id }, { ...columnsOf(change), updatedAt: this.now() });
  }

  async pause(manager: EntityManager, id: string): Promise<void> {
    const at = this.now();
    await manager.update(
      DestinationEntity,
      { id, status: 'active' },
      { status: 'paused', pausedReason: 'asked', pausedAt: at, updatedAt: at },
    );
  }

  /** What waited meanwhile is due now, and has its whole time again. */
  async resume(manager: EntityManager, id: string): Promise<void> {
    const at = this.now();
    await manager.update(DestinationEntity, { id }, { ...WELL, resumedAt: at, updatedAt: at });
    await manager.query(
      `UPDATE deliveries SET next_attempt_at = now() WHERE destination_id = $1 AND status = 'pending' AND next_attempt_at > now()`,
      [id],
    );
  }

  /** With its secrets. What waited for it goes as well; what was sent stays in the log. */
  async remove(manager: EntityManager, id: string): Promise<void> {
    await manager.delete(DestinationEntity, { id });
    await manager.delete(DeliveryEntity, { destinationId: id, status: In(['pending', 'sending']) });
  }

  private async rows(runner: SqlRunner, sql: string, params: readonly unknown[]): Promise<DestinationRow[]> {
    try {
      return await runner.query<DestinationRow>(sql, [this.now(), ...params]);
    } catch (error) {
      throw asStorageError(error);
    }
  }

  private now(): Date {
    return new Date(this.clock.now());
  }
}

function columnsOf({ name, url, events, webhookTypes, match }: Partial<DestinationInput>): Partial<DestinationEntity> {
  return {
    ...(name !== undefined && { name }),
    ...(url !== undefined && { url }),
    ...(events && { events: [...events] }),
    ...(match !== undefined && { match }),
    ...(webhookTypes && { webhookTypes: [...webhookTypes] }),
  };
}
