import { randomUUID } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import type { DataSourceOptions } from 'typeorm';
import type { DatabaseKind } from '../../src/database/database-info';
import { ManagedDataSource } from '../../src/database/managed-data-source';

export interface TestDatabase {
  readonly dataSource: ManagedDataSource;
  readonly kind: DatabaseKind;
  /** Address of the database, where it is on a server. */
  readonly url?: string;
  close(): Promise<void>;
}

export interface TestDatabaseOptions {
  entities?: DataSourceOptions['entities'];
  /** Connections at most, on a server. */
  databasePoolMax?: number;
}

/** Set by `global-setup.ts` where it lies in memory: the folder for what the tests of this run write. */
export const RUN_FOLDER = 'TRESTLE_TEST_FOLDER';
/** Set by `global-setup.ts`: the migrated database as a dump and as a folder, and the migrated template on the server. */
export const SEED_FILE = 'TRESTLE_TEST_SEED_FILE';
export const SEED_FOLDER = 'TRESTLE_TEST_SEED_FOLDER';
export const TEMPLATE_DATABASE = 'TRESTLE_TEST_TEMPLATE';
/** On a server: a role that has the rights which the running service needs, and no others. Its password is its name. */
export const SERVICE_ROLE = 'trestle_test_service';

/** A fresh, migrated database: embedded, or with TEST_DATABASE_URL on that server. Close it in `afterAll`. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = process.env['TEST_DATABASE_URL'];
  if (!server) return embeddedTestDatabase(options);
  const url = await createServerDatabase(server);
  const dataSource = await ManagedDataSource.open({ databaseUrl: url, dataDir: '', ...options });
  await dataSource.initialize();
  const close = async () => {
    await dataSource.destroy();
    await dropServerDatabase(server, url);
  };
  return { dataSource, kind: 'server', url, close };
}

async function embeddedTestDatabase(options: TestDatabaseOptions): Promise<TestDatabase> {
  const parent = process.env[RUN_FOLDER];
  const folder = parent && (await mkdtemp(join(parent, 'database-')));
  if (folder) layEmbeddedDatabase(folder);
  const dataSource = await ManagedDataSource.open(
    folder ? { dataDir: folder, ...options } : { dataDir: 'memory://', seed: await testSeed(), ...options },
  );
  await dataSource.initialize();
  const close = async () => {
    await dataSource.destroy();
    if (folder) await rm(folder, { recursive: true, force: true });
  };
  return { dataSource, kind: 'embedded', close };
}

/** The migrated dump, for `openEmbeddedPostgres(dir, { seed })`. */
export async function testSeed(): Promise<Uint8Array> {
  return readFile(process.env[SEED_FILE] as string);
}

/** Lays a migrated database into a data folder that has none, where an embedded one will be opened: to copy it is quicker than to unpack it. */
export function layEmbeddedDatabase(dataDir: string): void {
  const folder = join(dataDir, 'postgres');
  if (existsSync(folder)) return;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  copyFolder(process.env[SEED_FOLDER] as string, folder);
}

function copyFolder(from: string, to: string): void {
  mkdirSync(to, { mode: 0o700 });
  for (const entry of readdirSync(from, { withFileTypes: true }))
    (entry.isDirectory() ? copyFolder : copyFileSync)(join(from, entry.name), join(to, entry.name));
}

/** Creates a migrated database on the server and gives its address. */
export async function createServerDatabase(server: string): Promise<string> {
  const name = `trestle_test_${randomUUID().replaceAll('-', '')}`;
  await onServer(server, `CREATE DATABASE ${name} TEMPLATE ${process.env[TEMPLATE_DATABASE]}`);
  return withDatabase(server, name);
}

export async function dropServerDatabase(server: string, url: string): Promise<void> {
  await onServer(server, `DROP DATABASE IF EXISTS ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
}

export async function onServer(server: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The same database, as the role under which the service runs. */
export function asServiceRole(url: string): string {
  return Object.assign(new URL(url), { username: SERVICE_ROLE, password: SERVICE_ROLE }).href;
}

export function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
