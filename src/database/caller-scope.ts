import { escapeLiteral } from 'pg';
import type { DataSource } from 'typeorm';
import { CALLER_ROLE } from './tenant-rows';

/** Runs statements. */
export interface Scope {
  query<Row extends object>(sql: string, params?: unknown[]): Promise<Row[]>;
}

/** Until the transaction ends, so that whoever has the connection next has nothing of it. One message: it costs one way to the server. */
const enter = (tenant: string) =>
  `BEGIN READ ONLY; SELECT set_config('role', '${CALLER_ROLE}', true), set_config('trestle.tenant', ${escapeLiteral(tenant)}, true)`;

interface Client {
  query(sql: string, params?: unknown[]): Promise<{ rows: object[] }>;
}

/**
 * Reads as a caller of the organization may: the database shows its rows alone, whatever a statement forgets. Each statement is a
 * transaction by itself. @param tenant undefined for an operator, who reads everybody's
 */
export function asTenant(dataSource: DataSource, tenant: string | undefined): Scope {
  if (tenant === undefined) return dataSource;
  return {
    query: async <Row extends object>(sql: string, params: unknown[] = []) => {
      const runner = dataSource.createQueryRunner();
      try {
        const client = (await runner.connect()) as Client;
        await client.query(enter(tenant));
        try {
          return (await client.query(sql, params)).rows as Row[];
        } finally {
          await client.query('ROLLBACK'); // it only read
        }
      } finally {
        await runner.release();
      }
    },
  };
}
