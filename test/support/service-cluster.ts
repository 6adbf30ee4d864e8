import { SignJWT } from 'jose';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { asService, connectDatabase } from '../../src/database';
import { sealConnections } from './seals';
import { startProcess, type TestProcess } from './child-process';

export interface ClusterOptions {
  /** TypeScript file of the service's process. */
  readonly entry: string;
  /** Processes; on the embedded database one. */
  readonly processes: number;
  /** A Postgres server: a database of the cluster's own is created on it and dropped at the end. Without: embedded. */
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  /** Further settings, e.g. the sandbox's. */
  readonly env?: Readonly<Record<string, string>>;
  /** Settings of one process only, by its index. */
  readonly envOf?: (index: number) => Readonly<Record<string, string>>;
  /** Works on the migrated database before the first process starts. */
  readonly prepare?: (database: DataSource) => Promise<void>;
  /** An address whose database is the cluster's own already: taken as it is, and not dropped. */
  readonly ownDatabase?: boolean;
}

/** One process of the service under test. */
export interface Member {
  readonly index: number;
  readonly url: string;
  readonly port: number;
  process: TestProcess;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>;
  /** Starts it again on its port; resolves when it listens. `env` holds for this start only. */
  start(env?: Readonly<Record<string, string>>): Promise<void>;
}

export interface Cluster {
  readonly members: readonly Member[];
  /** Address of the cluster's own database; undefined on the embedded one. */
  readonly databaseUrl?: string;
  readonly dataDir: string;
  readonly jwtSecret: string;
  /** What every process is started with. */
  readonly env: Readonly<Record<string, string>>;
  tokenFor(who: { tenant: string; user: string; role?: string }): Promise<string>;
  /** Reads the database beside the service. On the embedded one only while no process runs. */
  query<Row extends object>(sql: string, params?: unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

/** Starts the service as it runs for real: processes, a database of their own, sockets. Used by faults and benchmarks. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trestle-cluster-'));
  const databaseUrl = options.databaseUrl && (options.ownDatabase ? options.databaseUrl : await createDatabase(options.databaseUrl));
  const jwtSecret = randomBytes(32).toString('hex');
  const common = {
    NODE_ENV: 'test',
    DATA_DIR: dataDir,
    API_JWT_SECRET: jwtSecret,
    // Tokens of these runs outlive a clock that is moved ahead by a day.
    API_JWT_MAX_LIFETIME: String(3 * 24 * 60 * 60),
    ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}`,
    LOG_LEVEL: 'warn',
    SANDBOX: 'off',
    ...(databaseUrl ? { DATABASE_URL: databaseUrl, REDIS_URL: options.redisUrl ?? '' } : {}),
    ...options.env,
  };
  // Everybody is reached by browsers and providers under the first one's address, which is known once it listens.
  const env = () => ({ ...(members[0]?.port ? { PUBLIC_URL: members[0].url } : {}), ...common });
  const members: Member[] = Array.from({ length: databaseUrl ? options.processes : 1 }, (_, index) => member(index, options, env));
  const pool = databaseUrl ? new Pool({ connectionString: databaseUrl, max: 2 }) : undefined;
  pool?.on('error', () => undefined); // the server is restarted under some faults
  const stop = async () => {
    await Promise.all(members.map((one) => one.kill()));
    await pool?.end();
    if (options.databaseUrl && databaseUrl && !options.ownDatabase) await dropDatabase(options.databaseUrl, databaseUrl);
    await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const { prepare } = options;
    const keys = options.envOf?.(0)['ENCRYPTION_KEYS'] ?? common.ENCRYPTION_KEYS;
    if (prepare)
      await withDatabase({ dataDir, databaseUrl }, async (database) => {
        await prepare(database);
        await sealConnections(database, keys);
      });
    // The first one migrates; the others find it done.
    const [first, ...others] = members;
    await first?.start();
    await Promise.all(others.map((one) => one.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    members,
    databaseUrl,
    dataDir,
    jwtSecret,
    env: env(),
    tokenFor: ({ tenant, user, role = 'user' }) =>
      new SignJWT({ tenant, role })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(user)
        .setJti(randomUUID())
        .setExpirationTime('2h')
        .sign(Buffer.from(jwtSecret)),
    query: async <Row extends object>(sql: string, params: unknown[] = []) => {
      if (pool) return (await pool.query(sql, params)).rows as Row[];
      return withDatabase({ dataDir }, (database) => database.query<Row[]>(sql, params));
    },
    stop,
  };
}

/** The first start binds a port of the machine's choice; later ones bind it again, so that whoever knows the address finds it there. */
function member(index: number, options: ClusterOptions, env: () => Readonly<Record<string, string>>): Member {
  let port = 0;
  const one: Member = {
    index,
    get port() {
      return port;
    },
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    process: undefined as unknown as TestProcess,
    kill: () => one.process?.kill() ?? Promise.resolve(),
    stop: () => {
      one.process.child.kill('SIGTERM');
      return one.process.ended;
    },
    start: async (more) => {
      for (let tries = 1; ; tries++) {
        one.process = startProcess(options.entry, [], { ...env(), PORT: String(port), ...options.envOf?.(index), ...more });
        try {
          port = await one.process.listening();
          return;
        } catch (error) {
          // Between two starts another program's outgoing connection may have the port for a moment.
          if (tries === 5 || !(error as Error).message.includes('EADDRINUSE')) throw error;
          await new Promise((resolve) => setTimeout(resolve, 1_000));
        }
      }
    },
  };
  return one;
}

/** Opens the database beside the service, brought up to date. An embedded one only while no process has it. */
export async function withDatabase<T>(
  where: { dataDir: string; databaseUrl?: string },
  work: (database: DataSource) => Promise<T>,
): Promise<T> {
  const database = await connectDatabase(where);
  try {
    return await asService(() => work(database));
  } finally {
    await database.destroy();
  }
}

/** A database of its own on a server. */
export async function createDatabase(server: string): Promise<string> {
  const name = `trestle_run_${randomUUID().replaceAll('-', '')}`;
  await onServer(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

export function dropDatabase(server: string, url: string): Promise<void> {
  return onServer(server, `DROP DATABASE IF EXISTS ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
}

async function onServer(server: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
