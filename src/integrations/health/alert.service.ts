import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { v7 as uuid } from 'uuid';
import { CLOCK, type Clock } from '../../clock';
import { IntegrationError } from '../../errors';
import { inTransaction } from '../../database';
import { ALERT_RULES, type AlertRule, type Finding } from './alert-rules';

export type AlertState = 'open' | 'acknowledged' | 'resolved';

/** As `GET /v1/admin/alerts` gives it. */
export interface Alert {
  id: string;
  kind: string;
  severity: string;
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

const COLUMNS = `id, kind, severity, provider, connection_id AS "connectionId", state, title, detail, next_step AS "nextStep", count, opened_at AS "openedAt",
  last_seen_at AS "lastSeenAt", acknowledged_at AS "acknowledgedAt", acknowledged_by AS "acknowledgedBy", resolved_at AS "resolvedAt"`;

/** Opens, repeats and closes alerts from what the rules find; one open alert per key, whatever the number of processes. */
@Injectable()
export class AlertService {
  private readonly logger = new Logger('alerts');

  constructor(
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Runs every rule once. */
  async evaluate(): Promise<void> {
    const now = new Date(this.clock.now());
    for (const rule of ALERT_RULES) await this.apply(rule, now);
  }

  async list(filter: { tenant?: string; state?: AlertState; before?: { at: string; id: string }; limit: number }): Promise<Alert[]> {
    const rows = (await this.dataSource.query(
      `SELECT ${COLUMNS} FROM alerts
       WHERE ($1::text IS NULL OR tenant = $1) AND ($2::text IS NULL OR state = $2) AND ($3::timestamptz IS NULL OR (opened_at, id) < ($3::timestamptz, $4::uuid))
       ORDER BY opened_at DESC, id DESC LIMIT $5`,
      [filter.tenant ?? null, filter.state ?? null, filter.before?.at ?? null, filter.before?.id ?? null, filter.limit],
    )) as Alert[];
    return rows.map(withIsoTimes);
  }

  /** @throws IntegrationError `not_found` for an unknown alert or another tenant's. Acknowledging twice changes nothing. */
  async acknowledge(id: string, by: { tenant?: string; userId: string }): Promise<Alert> {
    const [rows] = (await this.dataSource.query(
      `UPDATE alerts SET state = CASE WHEN state = 'open' THEN 'acknowledged' ELSE state END,
              acknowledged_at = coalesce(acknowledged_at, $3), acknowledged_by = coalesce(acknowledged_by, $4)
       WHERE id = $1 AND ($2::text IS NULL OR tenant = $2) RETURNING ${COLUMNS}`,
      [id, by.tenant ?? null, new Date(this.clock.now()), by.userId],
    )) as [Alert[], number];
    const [alert] = rows;
    if (!alert) throw new IntegrationError('not_found', { detail: 'There is no such alert.' });
    return withIsoTimes(alert);
  }

  private async apply(rule: AlertRule, now: Date): Promise<void> {
    await inTransaction(this.dataSource, async (manager) => {
      const findings = ((await manager.query(rule.sql, [now])) as (Finding & { connection_id: string | null })[]).map((row) => ({
        ...row,
        connectionId: row.connection_id,
      }));
      for (const finding of findings) {
        const words = rule.describe(finding);
        const [row] = (await manager.query(
          `INSERT INTO alerts (id, kind, key, severity, provider, tenant, connection_id, state, title, detail, next_step, count, opened_at, last_seen_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9, $10, $11, $12, $12)
           ON CONFLICT (key) WHERE state IN ('open', 'acknowledged')
           DO UPDATE SET count = excluded.count, detail = excluded.detail, last_seen_at = excluded.last_seen_at
           RETURNING (xmax = 0) AS opened`,
          [
            uuid(), rule.kind, finding.key, rule.severity, finding.provider, finding.tenant, finding.connectionId,
            words.title, words.detail, words.nextStep, finding.count, now,
          ],
        )) as { opened: boolean }[];
        if (row?.opened) this.logger.warn({ alert: rule.kind, provider: finding.provider, connectionId: finding.connectionId }, words.title);
      }
      await manager.query(
        `UPDATE alerts SET state = 'resolved', resolved_at = $2 WHERE kind = $1 AND state IN ('open', 'acknowledged') AND NOT (key = ANY($3::text[]))`,
        [rule.kind, now, findings.map((finding) => finding.key)],
      );
    });
  }
}

function withIsoTimes(alert: Alert): Alert {
  const iso = (value: unknown) => (value instanceof Date ? value.toISOString() : null);
  return {
    ...alert,
    openedAt: iso(alert.openedAt) ?? '',
    lastSeenAt: iso(alert.lastSeenAt) ?? '',
    acknowledgedAt: iso(alert.acknowledgedAt),
    resolvedAt: iso(alert.resolvedAt),
  };
}
