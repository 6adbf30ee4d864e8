import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { PRODUCT_MIGRATIONS } from '../src/app-handlers/migrations';
import { openEmbeddedPostgres, type EmbeddedPostgres } from '../src/database/embedded-postgres';
import { isAlive } from '../src/database/embedded-postgres/process-identity';
import { migrateEmbedded, migrateServer } from '../src/database/migrator';
import { CALLER_ROLE, WORKER_ROLE } from '../src/database/tenant-rows';
import { onServer, RUN_FOLDER, SEED_FILE, SEED_FOLDER, SERVICE_ROLE, TEMPLATE_DATABASE, withDatabase } from './support/test-database';

const ROOT = join(__dirname, '..');
const KEPT = join(ROOT, 'node_modules', '.cache', 'trestle');
const DAY_MS = 24 * 3_600_000;
/** A file system in memory, where Linux has one. */
const IN_MEMORY = '/dev/shm';
const OF_A_RUN = /^trestle-tests-(\d+)$/;
/** What the files of a run take at most. */
const ROOM_BYTES = 4 * 2 ** 30;

/** One migrated database for the whole run, which every test file copies: a dump and a folder of the embedded one, a template on a server. */
export default async function globalSetup(): Promise<void> {
  await layRunFolder();
  const seed = await migratedSeed();
  process.env[SEED_FILE] = join(seed, 'dump.tar.gz');
  process.env[SEED_FOLDER] = join(seed, 'postgres');
  const server = process.env['TEST_DATABASE_URL'];
  if (!server) return;
  const template = `trestle_template_${process.pid}`;
  await onServer(server, `DROP DATABASE IF EXISTS ${template}`);
  await onServer(server, `CREATE DATABASE ${template}`);
  await migrateServer(withDatabase(server, template), PRODUCT_MIGRATIONS);
  await makeServiceRole(server);
  process.env[TEMPLATE_DATABASE] = template;
}

/** What tests write lies in memory where there is room for it: a database copied there opens in less than half of the processor's time, and no test waits for a disk. */
async function layRunFolder(): Promise<void> {
  const { bavail, bsize } = await statfs(IN_MEMORY).catch(() => ({ bavail: 0, bsize: 0 }));
  if (bavail * bsize < ROOM_BYTES) return;
  for (const name of await readdir(IN_MEMORY)) {
    const pid = OF_A_RUN.exec(name)?.[1];
    if (pid && !(await isAlive({ pid: Number(pid), startedAt: undefined, place: '' })))
      await rm(join(IN_MEMORY, name), { recursive: true, force: true });
  }
  const folder = join(IN_MEMORY, `trestle-tests-${process.pid}`);
  await mkdir(folder, { mode: 0o700 });
  process.env[RUN_FOLDER] = process.env['TMPDIR'] = folder;
}

/** Of the whole server: another run may make it at the same time. */
async function makeServiceRole(server: string): Promise<void> {
  await onServer(
    server,
    `DO $$ BEGIN CREATE ROLE ${SERVICE_ROLE} LOGIN PASSWORD '${SERVICE_ROLE}'; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
  );
  await onServer(server, `GRANT ${WORKER_ROLE}, ${CALLER_ROLE} TO ${SERVICE_ROLE}`);
}

/** Kept between runs under the name of what it was made from. */
async function migratedSeed(): Promise<string> {
  const folder = join(KEPT, `test-seed-${await fingerprint()}`);
  if (existsSync(folder)) return folder;
  // two runs may do this at once
  const draft = `${folder}.${process.pid}`;
  await mkdir(draft, { recursive: true });
  const dump = await migratedDump();
  await writeFile(join(draft, 'dump.tar.gz'), dump);
  const opened = await openEmbeddedPostgres(draft, { seed: dump });
  await opened.close(); // in order: there is nothing to recover at the next start
  await rename(draft, folder).catch(async (error: unknown) => {
    if (!existsSync(folder)) throw error;
    await rm(draft, { recursive: true });
  });
  await forgetOldSeeds(folder);
  return folder;
}

async function migratedDump(): Promise<Uint8Array> {
  const embedded = await openEmbeddedPostgres('memory://');
  try {
    await migrateEmbedded(embedded, PRODUCT_MIGRATIONS);
    await leaveOutTemplates(embedded);
    return await embedded.dumpSeed();
  } finally {
    await embedded.close();
  }
}

/** The two databases that others are made from are half of all files, and nobody makes another one in an embedded database. */
async function leaveOutTemplates(embedded: EmbeddedPostgres): Promise<void> {
  const client = new Client(embedded.poolConfig());
  await client.connect();
  for (const name of ['template0', 'template1']) {
    await client.query(`ALTER DATABASE ${name} IS_TEMPLATE false`);
    await client.query(`DROP DATABASE ${name}`);
  }
  await client.end();
}

/** A run that began before the migrations changed may still read the seed of before. */
async function forgetOldSeeds(current: string): Promise<void> {
  for (const name of await readdir(KEPT)) {
    const path = join(KEPT, name);
    if (!name.startsWith('test-seed-') || path === current) continue;
    const { mtimeMs } = await stat(path);
    if (mtimeMs < Date.now() - DAY_MS) await rm(path, { recursive: true, force: true });
  }
}

async function fingerprint(): Promise<string> {
  const folders = ['database', 'app-handlers'].map((owner) => join(ROOT, 'src', owner, 'migrations'));
  const files = (await Promise.all(folders.map(async (folder) => (await readdir(folder)).sort().map((name) => join(folder, name))))).flat();
  files.push(join(ROOT, 'src', 'database', 'tenant-rows.ts'), __filename);
  const hash = createHash('sha256');
  for (const file of [...files, join(ROOT, 'node_modules', '@electric-sql', 'pglite', 'package.json')])
    hash.update(file).update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}
