import { join } from 'node:path';
import { Client, type QueryResultRow } from 'pg';
import type { DataSource } from 'typeorm';
import { fill, type Filling } from '../../test/support/filled-database';
import { startCluster, type Cluster } from '../../test/support/service-cluster';
import { cpuOf, type CpuTime } from './cpu-time';
import type { Done } from './size-service';

/** A database of so much, and the service on it in a process of its own, which does nothing by itself. */
export interface Stage {
  readonly filling: Required<Filling>;
  readonly cluster: Cluster;
  /** Bytes of the database, and what a row of its large tables takes with its indexes. */
  readonly bytes: { readonly all: number; readonly perRow: Readonly<Record<string, number>> };
  /** Names of what can be asked for. */
  works(): Promise<string[]>;
  work(name: string): Promise<Done>;
  /** Absent where the database runs elsewhere. */
  readonly cpu?: () => CpuTime;
  /** Starts the service anew with these settings. */
  restart(env: Readonly<Record<string, string>>): Promise<void>;
}

const SETTINGS = { WORKERS: 'false', REQUESTS_PER_SECOND: '10000', LOG_LEVEL: 'error' };

/** @param server a Postgres server */
export async function openStage(server: string, filling: Required<Filling>): Promise<Stage> {
  const cluster = await startCluster({
    entry: join(__dirname, 'size-service.ts'),
    processes: 1,
    databaseUrl: server,
    env: SETTINGS,
    prepare: (database) => fillUnsealed(database, filling),
  });
  // The connection by which we ask, one at a time: it is no part of what is measured.
  const [asking] = await cluster.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  let asked = 0;
  const ask = <T>(work: string) =>
    new Promise<T>((resolve, reject) => {
      const { child } = cluster.members[0]!.process;
      const number = ++asked;
      const heard = (told: { number?: number; answer?: T; error?: string }) => {
        if (told.number !== number) return;
        child.off('message', heard);
        if (told.error === undefined) resolve(told.answer as T);
        else reject(new Error(`${work}: ${told.error}`));
      };
      child.on('message', heard);
      child.send({ work, number });
    });
  return {
    filling,
    cluster,
    cpu: cpuOf(cluster.members[0]!.process.child.pid ?? 0, cluster.databaseUrl ?? '', asking?.pid ?? 0),
    bytes: await sizes(cluster),
    works: () => ask<string[]>(''),
    work: (name) => ask<Done>(name),
    restart: async (env) => {
      await cluster.members[0]!.kill();
      await cluster.members[0]!.start(env);
    },
  };
}

/**
 * Whoever prepares a cluster has its connections sealed: those that have no seal. By a connection of its own, whose statements may take as
 * long as they need: the service's wait for an answer for less than ten million rows take.
 */
async function fillUnsealed({ options }: DataSource, filling: Filling): Promise<void> {
  const client = new Client({ connectionString: (options as { url?: string }).url });
  await client.connect();
  const query = async <Row extends object>(sql: string, params?: unknown[]) => (await client.query<Row & QueryResultRow>(sql, params)).rows;
  try {
    await query('SET synchronous_commit = off');
    await query(`SET maintenance_work_mem = '512MB'`);
    await fill({ query }, filling);
    await query('UPDATE connections SET seal = NULL');
    await query('VACUUM ANALYZE connections');
    await query('CHECKPOINT');
  } finally {
    await client.end();
  }
}

async function sizes(cluster: Cluster): Promise<Stage['bytes']> {
  const [all] = await cluster.query<{ bytes: string }>('SELECT pg_database_size(current_database()) AS bytes');
  const tables = await cluster.query<{ name: string; bytes: string; rows: number }>(
    `SELECT coalesce(p.relname, c.relname) AS name, sum(pg_total_relation_size(c.oid)) AS bytes, sum(c.reltuples) AS rows
     FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' GROUP BY 1 HAVING sum(c.reltuples) >= 1000 ORDER BY 2 DESC`,
  );
  return { all: Number(all?.bytes), perRow: Object.fromEntries(tables.map(({ name, bytes, rows }) => [name, Number(bytes) / rows])) };
}
