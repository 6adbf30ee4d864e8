import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { asTenant } from '../../database';
import { FigureReader } from '../figures';
import { MINUTES } from '../outbound';

/** Calls to one provider that failed in the last hour. */
export interface FailingProvider {
  readonly provider: string;
  readonly failed: number;
  readonly requests: number;
  /** Of those that failed: answered with 429, or how the provider says that. */
  readonly limited: number;
  /** Whose calls failed. */
  readonly tenants: number;
  readonly connections: number;
  /** The minute of the first failure within the hour. */
  readonly since: Date;
}

type WhoseRow = Pick<FailingProvider, 'provider' | 'tenants' | 'connections' | 'since'>;

const HOUR_MS = 3_600_000;
/** Below this share nothing is said of single failures, which go on by themselves. */
const FAILING_FROM = 0.01;

/** What fails now: how much by the buckets, and of whom by the minutes in which something failed. */
@Injectable()
export class CurrentTraffic {
  constructor(
    private readonly dataSource: DataSource,
    private readonly figures: FigureReader,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @param tenant undefined: of all (an operator). @returns those with the most failures first */
  async failing(tenant: string | undefined): Promise<FailingProvider[]> {
    const since = this.clock.now() - HOUR_MS;
    const traffic = await this.figures.since(tenant, since);
    const failing = [...traffic].filter(([, { ok, failed }]) => failed > 0 && failed >= FAILING_FROM * (ok + failed));
    if (failing.length === 0) return [];
    const whose = await this.whose(
      tenant,
      since,
      failing.map(([provider]) => provider),
    );
    return failing
      .map(([provider, { ok, failed, limited, lastFailedAt }]) => {
        // The two are written beside each other: for a moment there may be one without the other.
        const known = whose.get(provider) ?? { tenants: 0, connections: 0, since: lastFailedAt ?? new Date(since) };
        return { ...known, provider, failed, limited, requests: ok + failed };
      })
      .sort((a, b) => b.failed - a.failed || (a.provider < b.provider ? -1 : 1));
  }

  private async whose(tenant: string | undefined, since: number, providers: readonly string[]): Promise<ReadonlyMap<string, WhoseRow>> {
    const rows = await asTenant(this.dataSource, tenant).query<WhoseRow>(
      `SELECT b.provider, count(DISTINCT b.tenant)::int AS tenants, count(DISTINCT b.connection_id)::int AS connections, min(b.minute) AS since
       FROM ${MINUTES} b WHERE b.failed > 0 AND b.minute >= $1 AND b.provider = ANY($3) AND ($2::text IS NULL OR b.tenant = $2) GROUP BY b.provider`,
      [new Date(since), tenant ?? null, providers],
    );
    return new Map(rows.map((row) => [row.provider, row]));
  }
}
