import { escapeLiteral } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
import { requestContext } from '../request-context';
import { CALLER_ROLE } from './tenant-rows';

/** Runs statements. */
export interface Scope {
  query<Row extends object>(sql: string, params?: unknown[]): Promise<Row[]>;
}

/** The driver's own client. What it is asked it sends at once, without waiting for the answers before. */
interface Client {
  query(statement: unknown, values?: unknown[]): Promise<{ rows: object[] }>;
}

type Begin = 'START TRANSACTION' | 'START TRANSACTION READ ONLY';

/** Until the transaction ends, so that whoever has the connection next has nothing of it. One message. */
const enter = (begin: Begin, tenant: string) =>
  `${begin}; SELECT set_config('role', '${CALLER_ROLE}', true), set_config('trestle.tenant', ${escapeLiteral(tenant)}, true)`;

/**
 * Reads as a caller of the organization may: the database shows its rows alone, whatever a statement forgets. Each statement is a
 * transaction by itself. @param tenant undefined for an operator, who reads everybody's
 */
export function asTenant(dataSource: DataSource, tenant: string | undefined): Scope {
  if (tenant === undefined) return asNow(dataSource);
  return {
    query: async <Row extends object>(sql: string, params: unknown[] = []) => {
      const runner = asService(() => dataSource.createQueryRunner());
      try {
        const client = (await runner.connect()) as Client;
        return (await alone(client, 'START TRANSACTION READ ONLY', tenant, sql, params)).rows as Row[];
      } finally {
        await runner.release();
      }
    },
  };
}

/** For whom it is asked now, also where a stream asks on when the request's own context is over. */
function asNow(dataSource: DataSource): Scope {
  const context = requestContext.getStore();
  return context ? { query: (sql, params) => requestContext.run(context, () => dataSource.query(sql, params)) } : dataSource;
}

/**
 * Work of the service itself: outside of every request, where a statement is refused otherwise; and within a caller's, where it needs other
 * rows than that caller's organization's: what several organizations share, what is done for many at once, secrets. It is the only way past
 * the caller's role, so look at each.
 */
export function asService<T>(work: () => T): T {
  const context = requestContext.getStore();
  if (context?.asService) return work();
  return requestContext.run({ ...context, asService: true }, work);
}

/** From now on what the runner is asked is held to the organization's rows: a statement by itself, and a transaction as a whole. */
export function confine(runner: QueryRunner, tenant: string): QueryRunner {
  const connect = runner.connect.bind(runner) as () => Promise<Client>;
  runner.connect = async () => {
    const client = await connect();
    return {
      query: (statement: unknown, values?: unknown[]) => {
        if (statement === 'START TRANSACTION') return client.query(enter(statement, tenant));
        if (runner.isTransactionActive) return client.query(statement, values);
        return alone(client, 'START TRANSACTION', tenant, statement, values);
      },
    };
  };
  return runner;
}

/** The statement in a transaction of its own. All three messages go out together: it takes one journey to the server, as without. */
async function alone(client: Client, begin: Begin, tenant: string, statement: unknown, values?: unknown[]) {
  const [entered, answered, ended] = await Promise.allSettled([
    client.query(enter(begin, tenant)),
    client.query(statement, values), // not run where the first failed: the transaction is over then
    client.query('COMMIT'),
  ]);
  for (const each of [entered, answered, ended]) if (each.status === 'rejected') throw each.reason;
  return (answered as PromiseFulfilledResult<{ rows: object[] }>).value;
}
