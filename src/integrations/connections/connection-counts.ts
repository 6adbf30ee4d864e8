import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

export interface ConnectionCount {
  readonly connected: number;
  readonly needsReauth: number;
}

/** How many connections there are, for those who watch. A tenant of undefined is an operator's: everybody's. */
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
    return this.dataSource.query<{ provider: string; status: string; count: number }[]>(
      'SELECT provider, status, count(*)::int AS count FROM connections GROUP BY provider, status',
    );
  }

  /** By the provider's key; those that nobody has connected are left out. */
  async ofProviders(tenant: string | undefined, provider?: string): Promise<ReadonlyMap<string, ConnectionCount>> {
    const rows = await this.dataSource.query<({ provider: string } & ConnectionCount)[]>(
      `SELECT provider, count(*) FILTER (WHERE status = 'connected')::int AS connected, count(*) FILTER (WHERE status = 'needs_reauth')::int AS "needsReauth"
       FROM connections WHERE ($1::text IS NULL OR tenant = $1) AND ($2::text IS NULL OR provider = $2) GROUP BY provider`,
      [tenant ?? null, provider ?? null],
    );
    return new Map(rows.map(({ provider: key, ...count }) => [key, count]));
  }
}
