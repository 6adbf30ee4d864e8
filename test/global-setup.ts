import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PRODUCT_MIGRATIONS } from '../src/app-handlers/migrations';
import { openEmbeddedPostgres } from '../src/database/embedded-postgres';
import { migrateEmbedded, migrateServer } from '../src/database/migrator';
import { CALLER_ROLE, WORKER_ROLE } from '../src/database/tenant-rows';
import { onServer, SEED_FILE, SERVICE_ROLE, TEMPLATE_DATABASE, withDatabase } from './support/test-database';

const ROOT = join(__dirname, '..');

/** One migrated database for the whole run, which every test file copies: a dump for the embedded one, a template on a server. */
export default async function globalSetup(): Promise<void> {
  process.env[SEED_FILE] = await migratedSeed();
  const server = process.env['TEST_DATABASE_URL'];
  if (!server) return;
  const template = `trestle_template_${process.pid}`;
  await onServer(server, `DROP DATABASE IF EXISTS ${template}`);
  await onServer(server, `CREATE DATABASE ${template}`);
  await migrateServer(withDatabase(server, template), PRODUCT_MIGRATIONS);
  await makeServiceRole(server);
  process.env[TEMPLATE_DATABASE] = template;
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
  const folder = join(ROOT, 'node_modules', '.cache', 'trestle');
  const file = join(folder, `test-seed-${await fingerprint()}.tar.gz`);
  if (existsSync(file)) return file;
  const embedded = await openEmbeddedPostgres('memory://');
  try {
    await migrateEmbedded(embedded, PRODUCT_MIGRATIONS);
    await mkdir(folder, { recursive: true });
    // two runs may do this at once
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, await embedded.dumpSeed());
    await rename(draft, file);
  } finally {
    await embedded.close();
  }
  return file;
}

async function fingerprint(): Promise<string> {
  const folders = ['database', 'app-handlers'].map((owner) => join(ROOT, 'src', owner, 'migrations'));
  const files = (await Promise.all(folders.map(async (folder) => (await readdir(folder)).sort().map((name) => join(folder, name))))).flat();
  files.push(join(ROOT, 'src', 'database', 'tenant-rows.ts'));
  const hash = createHash('sha256');
  for (const file of [...files, join(ROOT, 'node_modules', '@electric-sql', 'pglite', 'package.json')])
    hash.update(file).update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}
