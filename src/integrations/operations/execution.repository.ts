import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { v7 as uuid } from 'uuid';
import { asStorageError, changedRows, type RowOf } from '../../database';
import { SecretBox } from '../connections';
import { COUNTED_AT_MOST, type Waiting } from '../jobs';
import type { ClaimedJob } from '../jobs';
import { executionBinding } from './encrypted-table';
import type { ExecutionTimes } from './execution';
import type { ExecutionEntity } from './execution.entity';
import type { StoredAnswer } from './execution-outcome';

export interface NewExecution {
  readonly tenant: string;
  readonly userId: string;
  readonly key?: string;
  readonly route: string;
  readonly requestHash: string;
  readonly connectionId?: string;
}

export interface StoredExecution {
  readonly id: string;
  readonly tenant: string;
  readonly route: string;
  readonly connectionId: string | null;
  readonly operationId: string;
  readonly requestHash: string;
  readonly status: 'running' | 'done' | 'unknown';
  readonly responseStatus: number | null;
  readonly response: string | null;
  /** Only of a running one: whether its first try is still within its lease. */
  readonly leased: boolean;
  readonly expired: boolean;
}

/** One that may be looked for at the provider. */
export type FindableExecution = Pick<StoredExecution, 'id' | 'tenant' | 'route' | 'connectionId' | 'operationId'>;

/** One that this process looks for now. */
export type UnknownExecution = FindableExecution & ClaimedJob;

/** What a try holds: it may only write its outcome as long as nobody else has taken the execution over. */
export interface Claim {
  readonly id: string;
  readonly tenant: string;
  readonly operationId: string;
  readonly leaseUntil: string;
}

type Row = Pick<
  RowOf<ExecutionEntity>,
  'id' | 'tenant' | 'route' | 'connection_id' | 'operation_id' | 'request_hash' | 'status' | 'response_status' | 'response'
> & { leased: boolean; expired: boolean };

const inSeconds = (parameter: string) => `now() + make_interval(secs => ${parameter})`;

/** The table of executions. Leases and expiry are in the database's time, which all processes share. */
@Injectable()
export class ExecutionRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly secrets: SecretBox,
  ) {}

  /** @returns undefined where the key is taken */
  async begin(execution: NewExecution, times: ExecutionTimes): Promise<Claim | undefined> {
    const rows = await this.query<{ id: string; operation_id: string; lease: string }>(
      `INSERT INTO actions (id, tenant, user_id, idempotency_key, route, request_hash, connection_id, operation_id, status, lease_until, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'running', ${inSeconds('$9')}, ${inSeconds('$10')})
       ON CONFLICT (tenant, user_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
       RETURNING id, operation_id, lease_until::text AS lease`,
      [
        uuid(),
        execution.tenant,
        execution.userId,
        execution.key ?? null,
        execution.route,
        execution.requestHash,
        execution.connectionId ?? null,
        uuid(),
        times.leaseSeconds,
        times.keepSeconds,
      ],
    );
    return rows[0] && { id: rows[0].id, tenant: execution.tenant, operationId: rows[0].operation_id, leaseUntil: rows[0].lease };
  }

  async find(tenant: string, userId: string, key: string): Promise<StoredExecution | undefined> {
    const [row] = await this.query<Row>(
      `SELECT id, tenant, route, connection_id, operation_id, request_hash, status, response_status, response, lease_until > now() AS leased, expires_at <= now() AS expired
       FROM actions WHERE tenant = $1 AND user_id = $2 AND idempotency_key = $3`,
      [tenant, userId, key],
    );
    return (
      row && {
        id: row.id,
        tenant: row.tenant,
        route: row.route,
        connectionId: row.connection_id,
        operationId: row.operation_id,
        requestHash: row.request_hash,
        status: row.status,
        responseStatus: row.response_status,
        response: row.response,
        leased: row.leased,
        expired: row.expired,
      }
    );
  }

  /** Takes over an execution whose outcome is not known, with its operation. @returns undefined where somebody else was first */
  async takeOver(execution: StoredExecution, times: ExecutionTimes): Promise<Claim | undefined> {
    const [row] = await this.query<{ lease: string }>(
      `UPDATE actions SET status = 'running', lease_until = ${inSeconds('$2')}, error_code = NULL
       WHERE id = $1 AND (status = 'unknown' OR (status = 'running' AND lease_until <= now())) RETURNING lease_until::text AS lease`,
      [execution.id, times.leaseSeconds],
    );
    return row && { id: execution.id, tenant: execution.tenant, operationId: execution.operationId, leaseUntil: row.lease };
  }

  /** Stores the answer, also of a try that came too late, as long as nobody runs it again: it is known now. */
  async finish(claim: Claim, status: number, answer: StoredAnswer, errorCode?: string): Promise<void> {
    const response = this.secrets.encrypt(JSON.stringify(answer), executionBinding(claim.tenant, claim.id));
    await this.query(
      `UPDATE actions SET status = 'done', response_status = $3, response = $4, error_code = $5, finished_at = now()
       WHERE id = $1 AND (status = 'unknown' OR (status = 'running' AND lease_until = $2::timestamptz)) RETURNING id`,
      [claim.id, claim.leaseUntil, status, response, errorCode ?? null],
    );
  }

  /** The outcome of an unknown one, found at the provider. */
  async settle(execution: Pick<StoredExecution, 'id' | 'tenant'>, status: number, answer: StoredAnswer): Promise<void> {
    const response = this.secrets.encrypt(JSON.stringify(answer), executionBinding(execution.tenant, execution.id));
    await this.query(
      `UPDATE actions SET status = 'done', response_status = $2, response = $3, error_code = NULL, finished_at = now()
       WHERE id = $1 AND status = 'unknown' RETURNING id`,
      [execution.id, status, response],
    );
  }

  /**
   * Unknown ones of these routes whose time for a look has come. The lease of a look lasts until the time for the next, which is as far
   * away as the execution is old.
   */
  async waiting(): Promise<Waiting> {
    const [row] = await this.dataSource.query<Waiting[]>(
      `SELECT count(*)::int AS count, extract(epoch FROM now() - min(lease_until) FILTER (WHERE lease_until <= now()))::float8 AS oldest
       FROM (SELECT lease_until FROM actions WHERE status = 'unknown' AND expires_at > now() LIMIT $1) w`,
      [COUNTED_AT_MOST],
    );
    return row ?? { count: 0, oldest: null };
  }

  async unknownOf(routes: readonly string[], limit: number, leaseSeconds: number): Promise<UnknownExecution[]> {
    const rows = await this.query<Pick<Row, 'id' | 'tenant' | 'route' | 'connection_id' | 'operation_id'> & { lease: string }>(
      `UPDATE actions SET lease_until = now() + greatest(now() - created_at, make_interval(secs => $3))
       WHERE id IN (SELECT id FROM actions WHERE status = 'unknown' AND lease_until <= now() AND expires_at > now() AND route = ANY($1)
                    ORDER BY lease_until LIMIT $2 FOR UPDATE SKIP LOCKED)
       RETURNING id, tenant, route, connection_id, operation_id, lease_until::text AS lease`,
      [routes, limit, leaseSeconds],
    );
    return rows.map(({ id, tenant, route, lease, connection_id: connectionId, operation_id: operationId }) => ({
      ...{ id, tenant, route, connectionId, operationId },
      ...{ lease, attempts: 1 },
    }));
  }

  /** Gives up a look that was not made. */
  async lookAgain({ id, lease }: UnknownExecution): Promise<void> {
    await this.query(
      `UPDATE actions SET lease_until = now() WHERE id = $1 AND status = 'unknown' AND lease_until = $2::timestamptz RETURNING id`,
      [id, lease],
    );
  }

  read(execution: StoredExecution): StoredAnswer {
    return JSON.parse(this.secrets.decrypt(execution.response!, executionBinding(execution.tenant, execution.id))) as StoredAnswer;
  }

  async markUnknown(id: string, errorCode: string, leaseUntil?: string): Promise<void> {
    await this.query(
      `UPDATE actions SET status = 'unknown', error_code = $2, finished_at = now()
       WHERE id = $1 AND status = 'running' AND (lease_until <= now() OR lease_until = $3::timestamptz) RETURNING id`,
      [id, errorCode, leaseUntil ?? null],
    );
  }

  /** The record stays, without its key: the next request with it is another execution. */
  async free(claim: Claim, errorCode: string): Promise<void> {
    await this.query(
      `UPDATE actions SET status = 'done', idempotency_key = NULL, error_code = $3, finished_at = now()
       WHERE id = $1 AND status = 'running' AND lease_until = $2::timestamptz RETURNING id`,
      [claim.id, claim.leaseUntil, errorCode],
    );
  }

  /** As the retention does it, for one whose key is wanted now. */
  async deleteExpired(id: string): Promise<void> {
    await this.query('DELETE FROM actions WHERE id = $1 AND expires_at <= now() RETURNING id', [id]);
  }

  /** Running executions whose process is gone. */
  async markAbandoned(): Promise<number> {
    const rows = await this.query<{ id: string }>(
      `UPDATE actions SET status = 'unknown', error_code = 'outcome_unknown', finished_at = now()
       WHERE id IN (SELECT id FROM actions WHERE status = 'running' AND lease_until <= now() LIMIT 1000 FOR UPDATE SKIP LOCKED) RETURNING id`,
      [],
    );
    return rows.length;
  }

  private async query<T extends object>(sql: string, params: unknown[]): Promise<T[]> {
    try {
      return await changedRows<T>(this.dataSource, sql, params);
    } catch (error) {
      throw asStorageError(error);
    }
  }
}
