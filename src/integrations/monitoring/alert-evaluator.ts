import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuid } from 'uuid';
import { inTransaction, type RowOf } from '../../database';
import { OPERATOR, Outbox, type OutboxEvent } from '../notifications/outbox';
import { WakeUp } from '../jobs';
import { ProviderRegistry } from '../providers';
import type { AlertEntity } from './alert.entity';
import { ALERT_RULES, type AlertRule, type Finding } from './alert-rules';
import { LIMIT_RULE, nextFindings, openFindings, RESOLVE_OTHERS, STORE_FINDINGS } from './alert.queries';

type AlertRow = RowOf<AlertEntity>;

/** Findings in one statement. */
const PART = 1_000;

/** Injection token of the rules, for a product that brings its own or a test. */
export const ALERT_RULES_TOKEN = Symbol('AlertRules');

/** Opens and closes alerts from what the rules find, and puts the news of both into the outbox in the same transaction. */
@Injectable()
export class AlertEvaluator {
  private readonly logger = new Logger('alerts');

  constructor(
    private readonly dataSource: DataSource,
    private readonly registry: ProviderRegistry,
    private readonly wakeUp: WakeUp,
    private readonly outbox: Outbox,
    @Inject(ALERT_RULES_TOKEN) private readonly rules: readonly AlertRule[] = ALERT_RULES,
  ) {}

  /** Looks once by every rule. One that fails or hangs is logged and keeps none of the others from looking. */
  async evaluate(): Promise<void> {
    for (const rule of this.rules) {
      try {
        await this.apply(rule);
      } catch (error) {
        const { message, code } = error as { message?: string; code?: string };
        this.logger.error({ msg: 'An alert rule failed; the next look tries again.', rule: rule.kind, reason: message, code });
      }
    }
  }

  private async apply(rule: AlertRule): Promise<void> {
    const { opened, resolved } = await inTransaction(this.dataSource, async (manager) => {
      await manager.query(LIMIT_RULE);
      const [start] = await manager.query<{ at: string }[]>('SELECT clock_timestamp()::text AS at');
      const opened = await this.storeFindings(manager, rule);
      const resolved = await manager.query<AlertRow[]>(RESOLVE_OTHERS, [rule.kind, start?.at]);
      await this.outbox.add(manager, [...alertEventsOf('alert.opened', opened), ...alertEventsOf('alert.resolved', resolved)]);
      return { opened, resolved };
    });
    if (opened.length + resolved.length > 0) this.wakeUp.wake('deliveries');
    for (const { provider, connection_id: connectionId, title: msg } of opened)
      this.logger.warn({ alert: rule.kind, provider, connectionId, msg });
  }

  /** @returns those that were not open before */
  private async storeFindings(manager: EntityManager, rule: AlertRule): Promise<AlertRow[]> {
    const opened: AlertRow[] = [];
    await manager.query(openFindings(rule.sql));
    for (;;) {
      const findings = await manager.query<Finding[]>(nextFindings(PART));
      if (findings.length > 0) opened.push(...(await this.store(manager, rule, findings)));
      if (findings.length < PART) break;
    }
    await manager.query('CLOSE findings');
    return opened;
  }

  private async store(manager: EntityManager, rule: AlertRule, findings: readonly Finding[]): Promise<AlertRow[]> {
    const nameOf = (key: string | null) => (key === null ? '' : this.registry.nameOf(key));
    const words = findings.map((finding) => rule.describe(finding, nameOf(finding.provider), this.registry.find(finding.provider ?? '')));
    const rows = await manager.query<(AlertRow & { opened: boolean })[]>(STORE_FINDINGS, [
      rule.kind,
      rule.severity,
      findings.map(() => uuid()),
      findings.map(({ key }) => key),
      findings.map(({ provider }) => provider),
      findings.map(({ tenant }) => tenant),
      findings.map((finding) => finding.connection_id),
      words.map(({ title }) => title),
      words.map(({ detail }) => detail),
      words.map(({ nextStep }) => nextStep),
      findings.map(({ count }) => count),
    ]);
    return rows.filter(({ opened }) => opened);
  }
}

/** For the operator, and for the tenant that it is about. */
function alertEventsOf(type: 'alert.opened' | 'alert.resolved', alerts: readonly AlertRow[]): OutboxEvent[] {
  return alerts.flatMap((alert) => {
    const { id, kind, severity, provider, tenant, connection_id: connectionId, title, detail, next_step: nextStep } = alert;
    const data = { id, kind, severity, tenant, title, detail, nextStep };
    const tenants = tenant === null ? [OPERATOR] : [OPERATOR, tenant];
    return tenants.map((to) => ({
      type,
      tenant: to,
      provider,
      connectionId,
      at: alert.resolved_at ?? alert.opened_at,
      data,
      urgent: severity === 'critical',
    }));
  });
}
