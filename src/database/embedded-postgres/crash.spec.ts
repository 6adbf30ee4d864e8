import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Pool } from 'pg';
import { startProcess } from '../../../test/support/child-process';
import { testSeed } from '../../../test/support/test-database';
import { openEmbeddedPostgres } from '.';

const WRITER = join(__dirname, '../../../test/support/processes/row-writer.ts');

describe('the embedded database on disk', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trestle-database-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function withPool<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
    const embedded = await openEmbeddedPostgres(folder, { seed: await testSeed() });
    const pool = new Pool(embedded.poolConfig());
    try {
      return await work(pool);
    } finally {
      await pool.end();
      await embedded.close();
    }
  }

  it('holds every acknowledged row after each of three kill -9 in the midst of writing', async () => {
    await withPool((pool) => pool.query('SELECT 1'));
    const acknowledged = new Set<number>();
    for (let round = 0; round < 3; round++) {
      const writer = startProcess(WRITER, [folder, String(round * 1_000_000)]);
      await writer.line((line) => line === `row ${round * 1_000_000 + 400 + round * 137}`);
      await writer.kill();
      for (const line of writer.lines) if (/^row \d+$/.test(line)) acknowledged.add(Number(line.slice(4)));

      const kept = await withPool(
        async (pool) => new Set((await pool.query<{ id: number }>('SELECT id FROM written')).rows.map(({ id }) => id)),
      );
      expect([...acknowledged].filter((id) => !kept.has(id))).toEqual([]);
      expect(acknowledged.size).toBeGreaterThan(400 * (round + 1));
    }
  }, 120_000);

  it('holds what was committed without waiting for the disk: a page of a sync, the claim of an event', async () => {
    await withPool((pool) => pool.query('SELECT 1'));
    const writer = startProcess(WRITER, [folder, '0', 'without waiting']);
    await writer.line((line) => line === 'row 100');
    await writer.kill();
    const acknowledged = writer.lines.filter((line) => /^row \d+$/.test(line)).map((line) => Number(line.slice(4)));

    const kept = await withPool(async (pool) => (await pool.query<{ id: number }>('SELECT id FROM written')).rows.map(({ id }) => id));
    expect(acknowledged.filter((id) => !kept.includes(id))).toEqual([]);
  }, 60_000);

  it('keeps its rows from one opening to the next', async () => {
    await withPool((pool) => pool.query("CREATE TABLE kept AS SELECT 'yes' AS answer"));
    expect(await withPool(async (pool) => (await pool.query('SELECT answer FROM kept')).rows)).toEqual([{ answer: 'yes' }]);
  });

  it('starts a new backend after one that gave up, with every row that was acknowledged', async () => {
    await withPool(async (pool) => {
      pool.on('error', () => undefined);
      await pool.query('CREATE TABLE written (id int)');
      await pool.query('INSERT INTO written VALUES (1)');
      const gaveUp = jest.spyOn(PGlite.prototype, 'execProtocolRawStream').mockResolvedValueOnce(undefined);
      await expect(pool.query('INSERT INTO written VALUES (2)')).rejects.toMatchObject({ code: '08006' });
      gaveUp.mockRestore();
      expect((await pool.query('SELECT id FROM written')).rows).toEqual([{ id: 1 }]);
    });
  });

  it('begins again after a first start that was cut off', async () => {
    await withPool((pool) => pool.query('SELECT 1'));
    await rm(join(folder, 'postgres', 'pg_wal'), { recursive: true });
    await writeFile(join(folder, 'postgres.unfinished'), '');

    expect(await withPool(async (pool) => (await pool.query('SELECT 1 AS one')).rows)).toEqual([{ one: 1 }]);
    await expect(stat(join(folder, 'postgres.unfinished'))).rejects.toThrow('ENOENT');
  });

  it('refuses to open twice, and opens after the first is closed', async () => {
    await withPool(async () => {
      await expect(openEmbeddedPostgres(folder)).rejects.toThrow(/in use by another process.*DATABASE_URL/);
    });
    await withPool((pool) => pool.query('SELECT 1'));
  });
});
