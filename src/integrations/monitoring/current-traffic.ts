import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { MINUTES } from '../outbound';

/** Calls to one provider that failed in the last hour. */
export interface FailingProvider {
  readonly provider: string;
  readonly failed: number;
  readonly requests: number;
  /** Whose calls failed. */
  readonly tenants: number;
  readonly connections: number;
  /** The minute of the first failure within the hour. */
  readonly since: Date;
}

/** Requests of one provider, the oldest hour first: 24 of them, the one under way last. */
export interface HourlyTraffic {
  readonly requests: readonly number[];
  readonly failed: readonly number[];
}

const HOUR_MS = 3_600_000;
const HOURS = 24;
/** Below this share nothing is said of single failures, which go on by themselves. */
const FAILING_FROM = 0.01;

/** What fails now, and how the last day went, from the minute sums that the request chain writes. */
@Injectable()
export class CurrentTraffic {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @param tenant undefined: of all (an operator). @returns those with the most failures first */
  async failing(tenant: string | undefined): Promise<FailingProvider[]> {
    return this.dataSource.query<FailingProvider[]>(
      `SELECT b.provider, sum(b.failed)::int AS failed, sum(b.ok + b.failed)::int AS requests, count(DISTINCT b.tenant) FILTER (WHERE b.failed > 0)::int AS tenants,
         count(DISTINCT b.connection_id) FILTER (WHERE b.failed > 0)::int AS connections, min(b.minute) FILTER (WHERE b.failed > 0) AS since
       FROM ${MINUTES} b WHERE b.minute >= $1 AND ($2::text IS NULL OR b.tenant = $2)
       GROUP BY b.provider HAVING sum(b.failed) >= $3::float8 * sum(b.ok + b.failed) AND sum(b.failed) > 0 ORDER BY 2 DESC, 1`,
      [new Date(this.clock.now() - HOUR_MS), tenant ?? null, FAILING_FROM],
    );
  }

  /** By the provider's key; who had no traffic is left out. */
  async hourly(tenant: string | undefined): Promise<ReadonlyMap<string, HourlyTraffic>> {
    const firstHour = Math.floor(this.clock.now() / HOUR_MS) - (HOURS - 1);
    const rows = await this.dataSource.query<{ provider: string; hour: number; requests: number; failed: number }[]>(
      `SELECT b.provider, (floor(extract(epoch FROM b.minute) / 3600) - $3)::int AS hour, sum(b.ok + b.failed)::int AS requests, sum(b.failed)::int AS failed
       FROM ${MINUTES} b WHERE b.minute >= $1 AND ($2::text IS NULL OR b.tenant = $2) GROUP BY 1, 2`,
      [new Date(firstHour * HOUR_MS), tenant ?? null, firstHour],
    );
    const traffic = new Map<string, { requests: number[]; failed: number[] }>();
    for (const { provider, hour, requests, failed } of rows) {
      const none = () => Array.from({ length: HOURS }, () => 0);
      const known = traffic.get(provider) ?? { requests: none(), failed: none() };
      traffic.set(provider, known);
      if (hour < 0 || hour >= HOURS) continue;
      known.requests[hour] = requests;
      known.failed[hour] = failed;
    }
    return traffic;
  }
}
