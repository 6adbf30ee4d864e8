import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asTenant } from '../../database';

export interface ConnectionCount {
  readonly connected: number;
  readonly needsReauth: number;
}

/** In place of an organization: the sums of all. No organization has this name. */
const EVERYBODY = '';
/** Kinds of sums that a statement of `compact` takes up. */
const KINDS_AT_ONCE = 500;

const BY_STATUS = `SELECT provider, status, sum(change)::int AS count FROM connection_counts WHERE tenant = '${EVERYBODY}' GROUP BY provider, status HAVING sum(change) > 0`;

const BY_PROVIDER = `
  SELECT provider, coalesce(sum(change) FILTER (WHERE status = 'connected'), 0)::int AS connected,
    coalesce(sum(change) FILTER (WHERE status = 'needs_reauth'), 0)::int AS "needsReauth"
  FROM connection_counts WHERE tenant = $1 AND ($2::text IS NULL OR provider = $2) GROUP BY provider HAVING sum(change) > 0`;

/** Two that sum up at once share the rows, and neither waits: what counts is the sum, however it is split. */
const COMPACT = `
  WITH kinds AS (SELECT DISTINCT tenant, provider, status FROM (SELECT * FROM connection_counts WHERE fresh LIMIT $1) f),
    found AS MATERIALIZED (SELECT c.id, tenant, provider, status FROM connection_counts c JOIN kinds USING (tenant, provider, status) FOR UPDATE OF c SKIP LOCKED),
    gone AS (
      DELETE FROM connection_counts c USING found f
      WHERE c.tenant = f.tenant AND c.provider = f.provider AND c.status = f.status AND c.id = f.id
      RETURNING c.tenant, c.provider, c.status, c.change),
    kept AS (
      INSERT INTO connection_counts (tenant, provider, status, change, fresh)
      SELECT tenant, provider, status, sum(change), false FROM gone GROUP BY tenant, provider, status HAVING sum(change) <> 0)
  SELECT count(*)::int AS taken FROM gone`;

/**
 * How many connections there are, for those who watch: sums that triggers of the table keep with the fact (`connection_counts`), read at
 * the cost of what there is of organizations and providers, and not of connections. A tenant of undefined is an operator's: everybody's.
 */
@Injectable()
export class ConnectionCounts {
  constructor(private readonly dataSource: DataSource) {}

  /** Those of the providers that somebody has ever connected. */
  async inUse(providers: readonly string[]): Promise<string[]> {
    const rows = await this.dataSource.query<{ key: string }[]>(
      'SELECT p AS key FROM unnest($1::text[]) p WHERE EXISTS (SELECT 1 FROM connections c WHERE c.provider = p)',
      [providers],
    );
    return rows.map(({ key }) => key);
  }

  /** Of everybody. */
  byStatus(): Promise<{ provider: string; status: string; count: number }[]> {
    return this.dataSource.query<{ provider: string; status: string; count: number }[]>(BY_STATUS);
  }

  /** By the provider's key; those that nobody has connected are left out. */
  async ofProviders(tenant: string | undefined, provider?: string): Promise<ReadonlyMap<string, ConnectionCount>> {
    const rows = await asTenant(this.dataSource, tenant).query<{ provider: string } & ConnectionCount>(BY_PROVIDER, [
      tenant ?? EVERYBODY,
      provider ?? null,
    ]);
    return new Map(rows.map(({ provider: key, ...count }) => [key, count]));
  }

  /** Makes one row of those that changes have added to a sum. Until nothing is new, or somebody ends it. */
  async compact(signal?: AbortSignal): Promise<void> {
    while (!signal?.aborted) {
      const [row] = await this.dataSource.query<{ taken: number }[]>(COMPACT, [KINDS_AT_ONCE]);
      if (!row || row.taken === 0) return;
    }
  }
}
