import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { CircuitStates } from '../outbound';
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

const DAY_MS = 24 * 60 * 60 * 1000;
const HEALTHY_BELOW = 0.01;
const DEGRADED_BELOW = 0.1;

interface TrafficRow {
  ok: string | null;
  failed: string | null;
  last_ok_at: Date | null;
  last_failed_at: Date | null;
}

const TRAFFIC = `sum(b.ok) AS ok, sum(b.failed) AS failed, max(b.last_ok_at) AS last_ok_at, max(b.last_failed_at) AS last_failed_at`;

/** Reads health from the minute sums that the request chain writes. Never divides by zero: no traffic is `unknown`. */
@Injectable()
export class ProviderHealthService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly registry: ProviderRegistry,
    private readonly circuits: CircuitStates,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @param tenant undefined: all tenants (an operator). */
  async all(tenant: string | undefined): Promise<ProviderHealth[]> {
    const silent = this.registry.all().filter(({ offered = true }) => !offered);
    const used = (await this.dataSource.query(
      'SELECT p AS key FROM unnest($1::text[]) p WHERE EXISTS (SELECT 1 FROM connections c WHERE c.provider = p)',
      [silent.map(({ key }) => key)],
    )) as { key: string }[];
    const shown = new Set([...this.registry.offered().map(({ key }) => key), ...used.map(({ key }) => key)]);
    return Promise.all(this.registry.all().flatMap(({ key }) => (shown.has(key) ? [this.one(key, tenant)] : [])));
  }

  /** @throws IntegrationError `provider_unknown` */
  async one(providerKey: string, tenant: string | undefined): Promise<ProviderHealth> {
    const provider = this.registry.get(providerKey);
    const since = new Date(this.clock.now() - DAY_MS);
    const [traffic] = (await this.dataSource.query(
      `SELECT ${TRAFFIC} FROM request_buckets b WHERE b.provider = $1 AND b.minute >= $2 AND ($3::text IS NULL OR b.tenant = $3)`,
      [provider.key, since, tenant ?? null],
    )) as TrafficRow[];
    const [counts] = (await this.dataSource.query(
      `SELECT count(*) FILTER (WHERE status = 'connected')::int AS connected, count(*) FILTER (WHERE status = 'needs_reauth')::int AS lost
       FROM connections WHERE provider = $1 AND ($2::text IS NULL OR tenant = $2)`,
      [provider.key, tenant ?? null],
    )) as { connected: number; lost: number }[];
    return {
      provider: provider.key,
      ...summarize(traffic),
      connections: { connected: counts?.connected ?? 0, needsReauth: counts?.lost ?? 0 },
      circuit: this.circuits.of(provider.key),
    };
  }

  /** The connections of a provider, those with the most failures first. */
  async connections(providerKey: string, tenant: string | undefined, limit: number): Promise<ConnectionHealth[]> {
    const provider = this.registry.get(providerKey);
    const rows = (await this.dataSource.query(
      `SELECT c.id, c.account_name, c.user_id, c.status, ${TRAFFIC}
       FROM connections c LEFT JOIN request_buckets b ON b.connection_id = c.id AND b.provider = c.provider AND b.minute >= $2
       WHERE c.provider = $1 AND ($3::text IS NULL OR c.tenant = $3)
       GROUP BY c.id ORDER BY coalesce(sum(b.failed), 0) DESC, c.id LIMIT $4`,
      [provider.key, new Date(this.clock.now() - DAY_MS), tenant ?? null, limit],
    )) as (TrafficRow & { id: string; account_name: string; user_id: string; status: string })[];
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
