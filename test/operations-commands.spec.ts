import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { PRODUCT_MIGRATIONS } from '../src/app-handlers';
import { connectDatabase } from '../src/database';
import { createDatabase, dropDatabase } from './support/service-cluster';

const ROOT = join(__dirname, '..');
const server = process.env['TEST_DATABASE_URL'];
const has = (program: string) => spawnSync(program, ['--version']).status === 0;
const canRun = server !== undefined && has('pg_dump') && has('pg_restore');
if (!canRun) console.warn('TEST_DATABASE_URL is not set, or pg_dump is not here: the commands of "Back up and restore" were not run.');

/** The commands of one part of docs/operations.md, in their order. */
function commandsOf(heading: string): string[] {
  const text = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  return [...(section.split('\n## ')[0] ?? '').matchAll(/```sh\n([\s\S]*?)```/g)].map(([, commands]) => commands as string);
}

describe('what docs/operations.md says is done', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'trestle-operations-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** As a shell does it, in a folder of its own; the service's commands are run from their sources, as no build is asked for here. */
  function run(commands: string, env: Record<string, string>): string {
    const ours = (name: string) => `node -r ${ROOT}/scripts/register-swc.cjs ${ROOT}/src/cli/${name}.ts`;
    const script = commands.replace(/npm run -s (\w+)(?: --)?/g, (_, name: string) => ours(name));
    const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', script], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env },
    });
    expect([status, stderr]).toEqual([0, expect.any(String)]);
    return stdout;
  }

  (canRun ? it : it.skip)(
    'a backup of a server is restored with every row, and its keys open it',
    async () => {
      const [backUp = '', restore = ''] = commandsOf('Back up and restore');
      const keys = { ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`, DATA_DIR: join(folder, 'data') };
      const [from, to] = [await createDatabase(server as string), await createDatabase(server as string)];
      try {
        const database = await connectDatabase({ databaseUrl: from, dataDir: '', migrations: PRODUCT_MIGRATIONS });
        await database.query(
          `INSERT INTO webhook_events (id, provider, event_id, type, status, received_at, next_attempt_at)
         SELECT gen_random_uuid(), 'stripe', 'evt_' || n, 'charge.succeeded', 'completed', now(), now() FROM generate_series(1, 500) AS n`,
        );
        run('npm run -s keys -- status', { ...keys, DATABASE_URL: from });
        const before = await countsOf(database);
        await database.destroy();
        run(backUp, { ...keys, DATABASE_URL: from });
        expect(run(restore, { ...keys, RESTORED_URL: to })).toContain('The database is up to date');
        const restored = await connectDatabase({ databaseUrl: to, dataDir: '' });
        expect(await countsOf(restored)).toEqual(before);
        expect(before.get('webhook_events')).toBe(500);
        await restored.destroy();
      } finally {
        await Promise.all([from, to].map((url) => dropDatabase(server as string, url)));
      }
    },
    240_000,
  );

  (server ? it : it.skip)(
    'what is embedded goes to a server, equal row by row, and its keys open it there',
    async () => {
      const [move = ''] = commandsOf('From the embedded database to a server');
      const keys = { ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`, DATA_DIR: join(folder, 'data') };
      const to = await createDatabase(server as string);
      try {
        const database = await connectDatabase({ dataDir: keys.DATA_DIR, migrations: PRODUCT_MIGRATIONS });
        await database.query(
          `INSERT INTO webhook_events (id, provider, event_id, type, status, received_at, next_attempt_at)
           SELECT gen_random_uuid(), 'p', 'evt_' || n, 't', 'completed', now(), now() FROM generate_series(1, 500) AS n`,
        );
        await database.destroy();
        run('npm run -s keys -- status', keys);
        const said = run(move, { ...keys, SERVER_URL: to });
        expect(said).toMatch(/webhook_events +500 rows[^]*Imported: each table equal by count and hash\./);
        expect(run('npm run -s keys -- status', { ...keys, DATABASE_URL: to })).toMatch(/k1 +primary/);
        const twice = () => run('npm run -s import -- trestle.gz', { ...keys, DATABASE_URL: to });
        expect(twice).toThrow();
      } finally {
        await dropDatabase(server as string, to);
      }
    },
    240_000,
  );

  it('a data folder is put into an archive as a whole', () => {
    const [, , archive = ''] = commandsOf('Back up and restore');
    const data = mkdtempSync(join(folder, 'data-'));
    writeFileSync(join(data, 'file'), 'content');
    run(archive, { DATA_DIR: data });
    expect(run('tar -tzf trestle-data.tar.gz', {}).split('\n')).toContain('./file');
  });
});

async function countsOf(database: DataSource): Promise<Map<string, number>> {
  const tables = await database.query<{ name: string }[]>(
    `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
  );
  const counts = new Map<string, number>();
  for (const { name } of tables)
    counts.set(name, (await database.query<{ n: number }[]>(`SELECT count(*)::int AS n FROM ${name}`))[0]?.n ?? -1);
  return counts;
}
