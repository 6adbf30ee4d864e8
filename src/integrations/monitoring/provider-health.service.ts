import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import type { RowOf } from '../../database';
import { ConnectionCounts, CONNECTIONS, type Connection, type ConnectionCount } from '../connections';
import { FigureReader, NO_FIGURES, sumOf, type Figures } from '../figures';
import { CircuitStates, MINUTES, TRAFFIC, type TrafficRow } from '../outbound';
import { ProviderRegistry } from '../providers';
import { SyncService } from '../sync';
import { sumsOf } from './day-figures.service';

/** `limited`: it fails nothing, and limits how much may be asked. */
export type HealthStatus = 'healthy' | 'limited' | 'degraded' | 'down' | 'unknown';

/** Health of one provider over the last 24 hours, as `GET /v1/admin/health` gives it. `errorRate24h` is 0..1, null without traffic. */
export interface ProviderHealth {
  provider: string;
  status: HealthStatus;
  lastSuccess: string | null;
  lastFailure: string | null;
  errorRate24h: number | null;
  requests24h: number;
  /** Of them, those that the provider answered with 429, or how it says that. */
  rateLimited24h: number;
  /** 95 of 100 calls took no longer, ms. Null without calls. */
  latencyP95Ms24h: number | null;
  /** Webhook events that took effect, and tries of them that failed in their handlers. */
  events24h: number;
  eventsFailed24h: number;
  /** From the receipt of webhook events to their effect, ms. */
  lagP95Ms24h: number | null;
  /** When the first of the syncs that wait there is tried again. Null where none waits. */
  nextTryAt: string | null;
  connections: { connected: number; needsReauth: number };
  circuit: string;
}

/** The same for one connection. */
export interface ConnectionHealth {
  connectionId: string;
  provider: string;
  accountName: string;
  /** Null where it is the organization's. */
  userId: string | null;
  connectionStatus: string;
  status: HealthStatus;
  lastSuccess: string | null;
  lastFailure: string | null;
  errorRate24h: number | null;
  requests24h: number;
  /** Of them, those that the provider answered with 429, or how it says that. */
  rateLimited24h: number;
}

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;
const HEALTHY_BELOW = 0.01;
const DEGRADED_BELOW = 0.1;

/** Reads health from the buckets. Never divides by zero: no traffic is `unknown`. */
@Injectable()
export class ProviderHealthService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly registry: ProviderRegistry,
    private readonly counts: ConnectionCounts,
    private readonly figures: FigureReader,
    private readonly circuits: CircuitStates,
    private readonly syncs: SyncService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @param tenant undefined: all tenants (an operator). */
  async all(tenant: string | undefined): Promise<ProviderHealth[]> {
    const silent = this.registry.all().filter(({ offered = true }) => !offered);
    const [used, figures, counts] = await Promise.all([
      this.counts.inUse(silent.map(({ key }) => key)),
      this.figures.since(tenant, this.clock.now() - DAY_MS),
      this.counts.ofProviders(tenant),
    ]);
    const shown = new Set([...this.registry.offered().map(({ key }) => key), ...used]);
    const found = this.registry.all().flatMap(({ key }) => (shown.has(key) ? [this.healthOf(key, figures.get(key), counts.get(key))] : []));
    return this.withNextTries(found, tenant);
  }

  /** Traffic and state of the connections of all providers together: tells that something has changed, not what. */
  async inUse(tenant: string | undefined): Promise<unknown> {
    const [figures, connections] = await Promise.all([
      this.figures.since(tenant, this.clock.now() - HOUR_MS),
      this.counts.ofProviders(tenant),
    ]);
    return [sumsOf(sumOf(figures.values())), [...connections]];
  }

  /** @throws IntegrationError `provider_unknown` */
  async one(providerKey: string, tenant: string | undefined): Promise<ProviderHealth> {
    const { key } = this.registry.get(providerKey);
    const [figures, counts] = await Promise.all([
      this.figures.since(tenant, this.clock.now() - DAY_MS, key),
      this.counts.ofProviders(tenant, key),
    ]);
    const [found] = await this.withNextTries([this.healthOf(key, figures.get(key), counts.get(key))], tenant);
    return found!;
  }

  private async withNextTries(found: readonly Omit<ProviderHealth, 'nextTryAt'>[], tenant: string | undefined): Promise<ProviderHealth[]> {
    const troubled = found.filter(({ status }) => status !== 'healthy' && status !== 'unknown').map(({ provider }) => provider);
    const waiting = troubled.length > 0 ? await this.syncs.failing(tenant, troubled) : [];
    const nextTries = new Map(waiting.map(({ provider, nextTryAt }) => [provider, nextTryAt.toISOString()]));
    return found.map((health) => ({ ...health, nextTryAt: nextTries.get(health.provider) ?? null }));
  }

  private healthOf(
    provider: string,
    figures: Figures = NO_FIGURES,
    connections: ConnectionCount = { connected: 0, needsReauth: 0 },
  ): Omit<ProviderHealth, 'nextTryAt'> {
    const { ok, failed, limited, lastOkAt, lastFailedAt } = figures;
    const { latencyP95Ms, events, eventsFailed, lagP95Ms } = sumsOf(figures);
    return {
      provider,
      ...summarize({ ok, failed, limited, lastOkAt, lastFailedAt }),
      latencyP95Ms24h: latencyP95Ms,
      events24h: events,
      eventsFailed24h: eventsFailed,
      lagP95Ms24h: lagP95Ms,
      connections,
      circuit: this.circuits.of(provider),
    };
  }

  /** The connections of a provider, those with the most failures first. */
  async connections(providerKey: string, tenant: string | undefined, limit: number): Promise<ConnectionHealth[]> {
    const provider = this.registry.get(providerKey);
    const rows = await this.dataSource.query<(TrafficRow & Pick<RowOf<Connection>, 'id' | 'account_name' | 'user_id' | 'status'>)[]>(
      `WITH failing AS MATERIALIZED (
         SELECT b.connection_id, sum(b.failed) AS failures FROM ${MINUTES} b
         WHERE b.provider = $1 AND b.minute >= $2 AND b.failed > 0 AND b.connection_id IS NOT NULL AND ($3::text IS NULL OR b.tenant = $3) GROUP BY b.connection_id ORDER BY 2 DESC, 1 LIMIT $4),
       others AS (
         SELECT o.id AS connection_id, 0 AS failures FROM ${CONNECTIONS} o
         WHERE o.provider = $1 AND ($3::text IS NULL OR o.tenant = $3) AND NOT EXISTS (SELECT 1 FROM failing f WHERE f.connection_id = o.id) ORDER BY o.id LIMIT $4)
       SELECT c.*, t.* FROM (SELECT * FROM failing UNION ALL SELECT * FROM others ORDER BY 2 DESC, 1 LIMIT $4) p
       CROSS JOIN LATERAL (SELECT o.id, o.account_name, o.user_id, o.status FROM ${CONNECTIONS} o WHERE o.id = p.connection_id OFFSET 0) c
       CROSS JOIN LATERAL (SELECT ${TRAFFIC} FROM ${MINUTES} b WHERE b.connection_id = c.id AND b.minute >= $2) t
       ORDER BY p.failures DESC, c.id LIMIT $4`,
      [provider.key, new Date(this.clock.now() - DAY_MS), tenant ?? null, limit],
    );
    return rows.map((row) => ({
      connectionId: row.id,
      provider: provider.key,
      accountName: row.account_name,
      userId: row.user_id || null,
      connectionStatus: row.status,
      ...summarize({
        ok: Number(row.ok ?? 0),
        failed: Number(row.failed ?? 0),
        limited: Number(row.limited ?? 0),
        lastOkAt: row.last_ok_at,
        lastFailedAt: row.last_failed_at,
      }),
    }));
  }
}

function summarize({
  ok,
  failed,
  limited,
  lastOkAt,
  lastFailedAt,
}: Pick<Figures, 'ok' | 'failed' | 'limited' | 'lastOkAt' | 'lastFailedAt'>) {
  const requests24h = ok + failed;
  return {
    status: statusOf({ requests: requests24h, failed, limited }),
    lastSuccess: lastOkAt?.toISOString() ?? null,
    lastFailure: lastFailedAt?.toISOString() ?? null,
    errorRate24h: requests24h === 0 ? null : failed / requests24h,
    requests24h,
    rateLimited24h: limited,
  };
}

/** Of all requests below 1 % errors is healthy, below 10 % degraded, else down; no traffic is unknown. Who answers that it was asked too much is not down: what only its limits put off counts for itself. */
function statusOf({
  requests,
  failed,
  limited,
}: {
  readonly requests: number;
  readonly failed: number;
  readonly limited: number;
}): HealthStatus {
  if (requests === 0) return 'unknown';
  const broken = (failed - limited) / requests;
  if (broken >= HEALTHY_BELOW) return broken < DEGRADED_BELOW ? 'degraded' : 'down';
  return failed / requests < HEALTHY_BELOW ? 'healthy' : 'limited';
}
