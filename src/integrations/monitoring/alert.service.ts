import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuid } from 'uuid';
import { CLOCK, type Clock } from '../../clock';
import { IntegrationError } from '../../errors';
import { inTransaction } from '../../database';
import { ProviderRegistry } from '../providers';
import { ALERT_RULES, MOST_FINDINGS, type AlertRule, type Finding } from './alert-rules';

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
    private readonly registry: ProviderRegistry,
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
    const opened = await inTransaction(this.dataSource, async (manager) => {
      const findings: Finding[] = await manager.query(rule.sql, [now]);
      const titles = await upsert(manager, rule, findings, now, (key) => this.registry.find(key)?.name ?? key);
      // A rule that found its most may have missed some that still hold: nothing is closed then.
      if (findings.length < MOST_FINDINGS) await resolveOthers(manager, rule, findings, now);
      return titles;
    });
    for (const alert of opened) {
      this.logger.warn({ alert: rule.kind, provider: alert.provider, connectionId: alert.connection_id, msg: alert.title });
    }
  }
}

interface Opened {
  title: string;
  provider: string | null;
  connection_id: string | null;
}

/** @returns those that were not open before: only the process that inserts a row gets it, so each is told once */
async function upsert(
  manager: EntityManager,
  rule: AlertRule,
  findings: readonly Finding[],
  now: Date,
  nameOf: (provider: string) => string,
): Promise<Opened[]> {
  if (findings.length === 0) return [];
  const words = findings.map((finding) => rule.describe(finding, nameOf(finding.provider ?? '')));
  const rows: (Opened & { opened: boolean })[] = await manager.query(
    `INSERT INTO alerts (id, kind, key, severity, provider, tenant, connection_id, state, title, detail, next_step, count, opened_at, last_seen_at)
     SELECT f.id, $1, f.key, $2, f.provider, f.tenant, f.connection_id, 'open', f.title, f.detail, f.next_step, f.count, $3, $3
     FROM unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::text[], $10::text[], $11::text[], $12::int[])
       AS f (id, key, provider, tenant, connection_id, title, detail, next_step, count)
     ON CONFLICT (key) WHERE state IN ('open', 'acknowledged')
     DO UPDATE SET count = excluded.count, detail = excluded.detail, last_seen_at = excluded.last_seen_at
     RETURNING title, provider, connection_id, (xmax = 0) AS opened`,
    [
      rule.kind,
      rule.severity,
      now,
      findings.map(() => uuid()),
      findings.map((finding) => finding.key),
      findings.map((finding) => finding.provider),
      findings.map((finding) => finding.tenant),
      findings.map((finding) => finding.connection_id),
      words.map((word) => word.title),
      words.map((word) => word.detail),
      words.map((word) => word.nextStep),
      findings.map((finding) => finding.count),
    ],
  );
  return rows.filter((row) => row.opened);
}

async function resolveOthers(manager: EntityManager, rule: AlertRule, findings: readonly Finding[], now: Date): Promise<void> {
  await manager.query(
    `UPDATE alerts SET state = 'resolved', resolved_at = $2 WHERE kind = $1 AND state IN ('open', 'acknowledged') AND NOT (key = ANY($3::text[]))`,
    [rule.kind, now, findings.map((finding) => finding.key)],
  );
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
