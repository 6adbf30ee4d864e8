import { Inject, Injectable } from '@nestjs/common';
import { asTenant, inTransaction, type RowOf } from '../../database';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { IntegrationError } from '../../errors';
import { AuditLog } from '../audit';
import type { AlertEntity, AlertState } from './alert.entity';

/** As `GET /v1/admin/alerts` gives it. */
export interface Alert {
  id: string;
  kind: string;
  severity: string;
  /** Null where it is of no organization alone. */
  tenant: string | null;
  provider: string | null;
  connectionId: string | null;
  state: AlertState;
  title: string;
  detail: string;
  nextStep: string;
  count: number;
  openedAt: string;
  lastSeenAt: string;
  acknowledgedAt: string | null;
  acknowledgedBy: string | null;
  resolvedAt: string | null;
}

/** Open alerts of one kind and provider. */
export interface AlertCount {
  readonly kind: string;
  readonly provider: string | null;
  readonly open: number;
}

/** The alerts, as administrators see and acknowledge them. */
@Injectable()
export class AlertService {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly audit: AuditLog,
  ) {}

  /** A position's time is cut to the ms, the row's is not: the row itself says where the page ended. */
  async list(filter: { tenant?: string; state?: AlertState; before?: { at: string; id: string }; limit: number }): Promise<Alert[]> {
    const rows = await asTenant(this.dataSource, filter.tenant).query<RowOf<AlertEntity>>(
      `SELECT * FROM alerts
       WHERE ($1::text IS NULL OR tenant = $1) AND ($2::text IS NULL OR state = $2) AND ($4::uuid IS NULL OR (opened_at, id) < (coalesce((SELECT b.opened_at FROM alerts b WHERE b.id = $4), $3::timestamptz), $4::uuid))
       ORDER BY opened_at DESC, id DESC LIMIT $5`,
      [filter.tenant ?? null, filter.state ?? null, filter.before?.at ?? null, filter.before?.id ?? null, filter.limit],
    );
    return rows.map(alertOf);
  }

  /** @throws IntegrationError `not_found` */
  async find(id: string, tenant: string | undefined): Promise<Alert> {
    const [row] = await asTenant(this.dataSource, tenant).query<RowOf<AlertEntity>>(
      'SELECT * FROM alerts WHERE id = $1 AND ($2::text IS NULL OR tenant = $2)',
      [id, tenant ?? null],
    );
    if (!row) throw new IntegrationError('not_found', { detail: 'There is no such alert.' });
    return alertOf(row);
  }

  /** All that are open, however many. */
  async countOpen(tenant: string | undefined): Promise<AlertCount[]> {
    return asTenant(this.dataSource, tenant).query<AlertCount>(
      `SELECT kind, provider, count(*)::int AS open FROM alerts WHERE state = 'open' AND ($1::text IS NULL OR tenant = $1) GROUP BY kind, provider`,
      [tenant ?? null],
    );
  }

  /** @throws IntegrationError `not_found` for an unknown alert or another tenant's. Acknowledging twice changes nothing. */
  acknowledge(id: string, by: { tenant?: string; userId: string }): Promise<Alert> {
    return inTransaction(this.dataSource, async (manager) => {
      const [row] = await manager.query<RowOf<AlertEntity>[]>(
        `WITH acknowledged AS (
           UPDATE alerts SET state = CASE WHEN state = 'open' THEN 'acknowledged' ELSE state END,
                acknowledged_at = coalesce(acknowledged_at, $3), acknowledged_by = coalesce(acknowledged_by, $4)
           WHERE id = $1 AND ($2::text IS NULL OR tenant = $2) RETURNING *)
         SELECT * FROM acknowledged`,
        [id, by.tenant ?? null, new Date(this.clock.now()), by.userId],
      );
      if (!row) throw new IntegrationError('not_found', { detail: 'There is no such alert.' });
      await this.audit.record({ action: 'alert.acknowledge', tenant: row.tenant ?? '', target: `alert:${id}` }, 'ok', { runner: manager });
      return alertOf(row);
    });
  }
}

function alertOf(row: RowOf<AlertEntity>): Alert {
  const { id, kind, severity, tenant, provider, state, title, detail, count } = row;
  return {
    ...{ id, kind, severity, tenant, provider, connectionId: row.connection_id, state, title, detail, nextStep: row.next_step, count },
    openedAt: row.opened_at.toISOString(),
    lastSeenAt: row.last_seen_at.toISOString(),
    acknowledgedAt: row.acknowledged_at?.toISOString() ?? null,
    acknowledgedBy: row.acknowledged_by,
    resolvedAt: row.resolved_at?.toISOString() ?? null,
  };
}
