import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

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

  async ofProvider(provider: string, tenant: string | undefined): Promise<{ connected: number; needsReauth: number }> {
    const [row] = await this.dataSource.query<{ connected: number; lost: number }[]>(
      `SELECT count(*) FILTER (WHERE status = 'connected')::int AS connected, count(*) FILTER (WHERE status = 'needs_reauth')::int AS lost
       FROM connections WHERE provider = $1 AND ($2::text IS NULL OR tenant = $2)`,
      [provider, tenant ?? null],
    );
    return { connected: row?.connected ?? 0, needsReauth: row?.lost ?? 0 };
  }
}
