import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { asStorageError } from '../../database';
import type { SqlRunner } from '../connections';
import type { DestinationInput, DestinationRow } from './destination';

/** Counting what waits stops here: a number beside the destination, not a report. */
const MOST_COUNTED = 10_000;

const COLUMNS = `d.*,
  (SELECT count(*)::int FROM destination_secrets s WHERE s.destination_id = d.id AND (s.expires_at IS NULL OR s.expires_at > $1)) AS secrets,
  (SELECT count(*)::int FROM (SELECT 1 FROM deliveries e WHERE e.destination_id = d.id AND e.status = 'pending' LIMIT ${MOST_COUNTED}) w) AS waiting`;

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
  async insert(manager: EntityManager, id: string, tenant: string, input: DestinationInput): Promise<number> {
    await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`destinations:${tenant}`]);
    await manager.query(
      `INSERT INTO destinations (id, tenant, name, url, events, webhook_types, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)`,
      [id, tenant, input.name, input.url, input.events, input.webhookTypes, this.now()],
    );
    const [row] = await manager.query<{ n: number }[]>('SELECT count(*)::int AS n FROM destinations WHERE tenant = $1', [tenant]);
    return row?.n ?? 0;
  }

  async update(manager: EntityManager, id: string, change: Partial<DestinationInput>): Promise<void> {
    await manager.query(
      `UPDATE destinations SET name = coalesce($2, name), url = coalesce($3, url), events = coalesce($4, events),
         webhook_types = coalesce($5, webhook_types), updated_at = $6 WHERE id = $1`,
      [id, change.name ?? null, change.url ?? null, change.events ?? null, change.webhookTypes ?? null, this.now()],
    );
  }

  async pause(manager: EntityManager, id: string): Promise<void> {
    await manager.query(
      `UPDATE destinations SET status = 'paused', paused_reason = 'asked', paused_at = $2, updated_at = $2 WHERE id = $1 AND status = 'active'`,
      [id, this.now()],
    );
  }

  /** What waited meanwhile is due now, and has its whole time again. */
  async resume(manager: EntityManager, id: string): Promise<void> {
    await manager.query(
      `UPDATE destinations SET status = 'active', paused_reason = NULL, paused_at = NULL, resumed_at = $2, failures = 0, failing_since = NULL,
         retry_at = NULL, last_error = NULL, updated_at = $2 WHERE id = $1`,
      [id, this.now()],
    );
    await manager.query(
      `UPDATE deliveries SET next_attempt_at = now() WHERE destination_id = $1 AND status = 'pending' AND next_attempt_at > now()`,
      [id],
    );
  }

  /** With its secrets. What waited for it goes as well; what was sent stays in the log. */
  async remove(manager: EntityManager, id: string): Promise<void> {
    await manager.query('DELETE FROM destinations WHERE id = $1', [id]);
    await manager.query(`DELETE FROM deliveries WHERE destination_id = $1 AND status IN ('pending', 'sending')`, [id]);
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
