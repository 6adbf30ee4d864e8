import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import type { RowOf } from '../../database';
import { ConnectionCounts, CONNECTIONS, type Connection } from '../connections';
import { CircuitStates, MINUTES, TRAFFIC, type TrafficRow } from '../outbound';
import { ProviderRegistry } from '../providers';
export type HealthStatus = 'healthy' | 'degraded' | 'down' | 'unknown';

/** Health of one provider over the last 24 hours, as `GET /v1/admin/health` gives it. `errorRate24h` is 0..1, null without traffic. */
export interface ProviderHealth {
  provider: string;
  status: HealthStatus;
  lastSuccess: string | null;
  lastFailure: string | null;
  errorRate24h: number | null;
  requests24h: number;
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
}

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;
const HEALTHY_BELOW = 0.01;
const DEGRADED_BELOW = 0.1;

interface InUseRow {
  readonly traffic: string | null;
  readonly connections: string | null;
}

/** Reads health from the minute sums that the request chain writes. Never divides by zero: no traffic is `unknown`. */
@Injectable()
export class ProviderHealthService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly registry: ProviderRegistry,
    private readonly counts: ConnectionCounts,
    private readonly circuits: CircuitStates,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @param tenant undefined: all tenants (an operator). */
  async all(tenant: string | undefined): Promise<ProviderHealth[]> {
    const silent = this.registry.all().filter(({ offered = true }) => !offered);
    const used = await this.counts.inUse(silent.map(({ key }) => key));
    const shown = new Set([...this.registry.offered().map(({ key }) => key), ...used]);
    return Promise.all(this.registry.all().flatMap(({ key }) => (shown.has(key) ? [this.one(key, tenant)] : [])));
  }

  /** Traffic and state of the connections of all providers together: tells that something has changed, not what. */
  inUse(tenant: string | undefined): Promise<InUseRow[]> {
    return this.dataSource.query<InUseRow[]>(
      `SELECT (SELECT sum(b.ok) || '/' || sum(b.failed) FROM ${MINUTES} b WHERE b.minute >= $1 AND ($2::text IS NULL OR b.tenant = $2)) AS traffic,
         (SELECT count(*) FILTER (WHERE c.status = 'connected') || '/' || count(*) FILTER (WHERE c.status = 'needs_reauth') FROM ${CONNECTIONS} c WHERE $2::text IS NULL OR c.tenant = $2) AS connections`,
      [new Date(this.clock.now() - HOUR_MS), tenant ?? null],
    );
  }

  /** @throws IntegrationError `provider_unknown` */
  async one(providerKey: string, tenant: string | undefined): Promise<ProviderHealth> {
    const provider = this.registry.get(providerKey);
    const since = new Date(this.clock.now() - DAY_MS);
    const [traffic] = await this.dataSource.query<TrafficRow[]>(
      `SELECT ${TRAFFIC} FROM ${MINUTES} b WHERE b.provider = $1 AND b.minute >= $2 AND ($3::text IS NULL OR b.tenant = $3)`,
      [provider.key, since, tenant ?? null],
    );
    return {
      provider: provider.key,
      ...summarize(traffic),
      connections: await this.counts.ofProvider(provider.key, tenant),
      circuit: this.circuits.of(provider.key),
    };
  }

  /** The connections of a provider, those with the most failures first. */
  async connections(providerKey: string, tenant: string | undefined, limit: number): Promise<ConnectionHealth[]> {
    const provider = this.registry.get(providerKey);
    const rows = await this.dataSource.query<(TrafficRow & Pick<RowOf<Connection>, 'id' | 'account_name' | 'user_id' | 'status'>)[]>(
      `SELECT c.id, c.account_name, c.user_id, c.status, ${TRAFFIC}
       FROM ${CONNECTIONS} c LEFT JOIN ${MINUTES} b ON b.connection_id = c.id AND b.provider = c.provider AND b.minute >= $2
       WHERE c.provider = $1 AND ($3::text IS NULL OR c.tenant = $3)
       GROUP BY c.id, c.account_name, c.user_id, c.status ORDER BY coalesce(sum(b.failed), 0) DESC, c.id LIMIT $4`,
      [provider.key, new Date(this.clock.now() - DAY_MS), tenant ?? null, limit],
    );
    return rows.map((row) => ({
      connectionId: row.id,
      provider: provider.key,
      accountName: row.account_name,
      userId: row.user_id || null,
      connectionStatus: row.status,
      ...summarize(row),
    }));
  }
}

function summarize(row: TrafficRow | undefined) {
  const ok = Number(row?.ok ?? 0);
  const failed = Number(row?.failed ?? 0);
  const requests24h = ok + failed;
  const errorRate24h = requests24h === 0 ? null : failed / requests24h;
  return {
    status: statusOf(errorRate24h),
    lastSuccess: row?.last_ok_at?.toISOString() ?? null,
    lastFailure: row?.last_failed_at?.toISOString() ?? null,
    errorRate24h,
    requests24h,
  };
}

/** Below 1 % errors is healthy, below 10 % degraded, else down; no traffic is unknown. */
export function statusOf(errorRate: number | null): HealthStatus {
  if (errorRate === null) return 'unknown';
  if (errorRate < HEALTHY_BELOW) return 'healthy';
  return errorRate < DEGRADED_BELOW ? 'degraded' : 'down';
}
