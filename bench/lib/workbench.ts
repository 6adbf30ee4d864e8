import Redis from 'ioredis';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { startProcess, type TestProcess } from '../../test/support/child-process';
import { sealConnections } from '../../test/support/seals';
import { startCluster, withDatabase, type Cluster } from '../../test/support/service-cluster';
import type { Services } from './benchmark';
import { BENCH_SECRET } from './stripe-delivery';

/** Accounts that are connected, and whose they are. */
export const ACCOUNTS = { acct_bench_a: 'tenant-a', acct_bench_b: 'tenant-b' } as const;
export const OUR_PATH = '/webhooks/stripe';

export interface Rival {
  readonly port: number;
  /** GET /<name>?<query> of its own. */
  command(name: string, query?: Readonly<Record<string, string | number>>): Promise<void>;
  stop(): Promise<void>;
}

/** The service, its rivals, and one database and one corner of Redis for all of them. */
export interface Workbench {
  readonly cluster: Cluster;
  readonly databaseUrl: string;
  rival(file: string, env?: Readonly<Record<string, string>>): Promise<Rival>;
  query<Row extends object>(sql: string, params?: unknown[]): Promise<Row[]>;
  /** Redis of this run alone, under the rivals' prefix. */
  readonly redis: Redis;
  readonly prefix: string;
  stop(): Promise<void>;
}

export interface WorkbenchOptions {
  readonly services: Required<Services>;
  /** Settings of the processes of the service, one each. */
  readonly members: readonly Readonly<Record<string, string>>[];
}

/** Only with both: the rivals need Redis, and durability is promised for Postgres with fsync. */
export function hasBoth(services: Services): services is Required<Services> {
  return services.databaseUrl !== undefined && services.redisUrl !== undefined;
}

export async function openWorkbench({ services, members }: WorkbenchOptions): Promise<Workbench> {
  const redisUrl = corner(services.redisUrl);
  const prefix = `bench-${randomUUID()}`;
  const cluster = await startCluster({
    entry: join(__dirname, 'effect-service.ts'),
    processes: members.length,
    databaseUrl: services.databaseUrl,
    redisUrl,
    env: {
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://bench.example.com',
      STRIPE_CLIENT_ID: 'ca_bench',
      STRIPE_SECRET_KEY: 'sk_test_bench',
      STRIPE_WEBHOOK_SECRET: BENCH_SECRET,
    },
    envOf: (index) => members[index] ?? {},
  });
  const rivals: TestProcess[] = [];
  const redis = new Redis(redisUrl);
  const { databaseUrl = '' } = cluster;
  const stop = async () => {
    await Promise.all(rivals.map((each) => each.kill()));
    await forget(redis, prefix);
    redis.disconnect();
    await cluster.stop();
  };
  try {
    await prepare(cluster);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    cluster,
    databaseUrl,
    redis,
    prefix,
    query: (sql, params) => cluster.query(sql, params),
    stop,
    rival: async (file, env = {}) => {
      const child = startProcess(join(__dirname, '../rivals', file), [], {
        ...env,
        SECRET: BENCH_SECRET,
        DATABASE_URL: databaseUrl,
        REDIS_URL: redisUrl,
        PREFIX: `${prefix}:${file}`,
        NODE_ENV: 'production',
      });
      rivals.push(child);
      const port = await child.listening();
      return {
        port,
        stop: () => child.kill(),
        command: async (name, query = {}) => {
          const search = new URLSearchParams(Object.entries(query).map(([key, value]): [string, string] => [key, String(value)]));
          const response = await fetch(`http://127.0.0.1:${port}/${name}?${search}`);
          if (!response.ok) throw new Error(`${file}: ${name} failed:\n${child.lines.slice(-5).join('\n')}`);
        },
      };
    },
  };
}

/** Connections of the accounts, the table of effects, and a notification from the commit of each timed effect. */
async function prepare(cluster: Cluster): Promise<void> {
  const statements = [
    'CREATE TABLE bench_effects (no bigserial, event_id text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())',
    `CREATE FUNCTION bench_tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('bench_effect', NEW.event_id); RETURN NULL; END $$`,
    `CREATE TRIGGER bench_tell AFTER INSERT ON bench_effects FOR EACH ROW WHEN (NEW.event_id LIKE 'evt_timed%') EXECUTE FUNCTION bench_tell()`,
    'CREATE TABLE rival_events (event_id text PRIMARY KEY, type text NOT NULL, account text, body jsonb NOT NULL, received_at timestamptz NOT NULL DEFAULT now())',
    'CREATE TABLE limit_events (no bigserial, event_id text PRIMARY KEY, body bytea NOT NULL, done boolean NOT NULL DEFAULT false)',
    'CREATE INDEX limit_events_due ON limit_events (no) WHERE NOT done',
    ...Object.entries(ACCOUNTS).map(
      ([account, tenant]) =>
        `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
         VALUES (gen_random_uuid(), '${tenant}', 'u1', 'stripe', '${account}', '${account}', '${account}', 'oauth2', 'connected')`,
    ),
  ];
  for (const statement of statements) await cluster.query(statement);
  await withDatabase({ dataDir: cluster.dataDir, databaseUrl: cluster.databaseUrl ?? '' }, (database) =>
    sealConnections(database, cluster.env['ENCRYPTION_KEYS'] ?? ''),
  );
}

/** The last of Redis' usual 16 databases: what else runs on the machine uses the first. */
function corner(redisUrl: string): string {
  const url = new URL(redisUrl);
  if (url.pathname === '' || url.pathname === '/') url.pathname = '/15';
  return url.href;
}

async function forget(redis: Redis, prefix: string): Promise<void> {
  for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1_000 }) as AsyncIterable<string[]>) {
    if (keys.length > 0) await redis.unlink(...keys);
  }
}
