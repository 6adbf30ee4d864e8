import { Pool } from 'pg';
import { createTestDatabase, testSeed, type TestDatabase } from '../../../test/support/test-database';
import { openEmbeddedPostgres } from '.';

describe('the database behind the pg driver', () => {
  let database: TestDatabase;
  const query = (sql: string, params?: unknown[]) => database.dataSource.query(sql, params);

  beforeAll(async () => {
    database = await createTestDatabase();
    await query('CREATE TABLE sample (id int PRIMARY KEY, label text, body jsonb, bytes bytea)');
  });
  beforeEach(() => query('TRUNCATE sample'));
  afterAll(() => database.close());

  it('keeps exactly the committed rows of 50 concurrent transactions, 10 rolled back, and 30 inserts', async () => {
    const transactions = Array.from({ length: 50 }, (_, i) =>
      database.dataSource.transaction(async (manager) => {
        await manager.query('INSERT INTO sample (id) VALUES ($1)', [i]);
        await manager.query('INSERT INTO sample (id) VALUES ($1)', [1000 + i]);
        if (i % 5 === 0) throw new Error('rolled back on purpose');
      }),
    );
    const inserts = Array.from({ length: 30 }, (_, i) => query('INSERT INTO sample (id) VALUES ($1)', [2000 + i]));
    const outcomes = await Promise.allSettled([...transactions, ...inserts]);

    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(10);
    const kept = Array.from({ length: 50 }, (_, i) => i).filter((i) => i % 5 !== 0);
    const rows: { id: number }[] = await query('SELECT id FROM sample ORDER BY id');
    expect(rows.map(({ id }) => id)).toEqual([...kept, ...kept.map((i) => 1000 + i), ...Array.from({ length: 30 }, (_, i) => 2000 + i)]);
  });

  it('stays usable after an error, in a simple query, with parameters and inside a transaction', async () => {
    await expect(query('SELECT * FROM nowhere')).rejects.toMatchObject({ code: '42P01' });
    await expect(query('SELECT 1 / $1::int', [0])).rejects.toMatchObject({ code: '22012' });
    await expect(query('SELECT $1::int', ['no number'])).rejects.toMatchObject({ code: '22P02' });
    await expect(
      database.dataSource.transaction(async (manager) => {
        await manager.query('INSERT INTO sample (id) VALUES (1)');
        await manager.query('INSERT INTO sample (id) VALUES (1)');
      }),
    ).rejects.toMatchObject({ code: '23505' });
    expect(await query('SELECT count(*)::int AS n FROM sample')).toEqual([{ n: 0 }]);
  });

  it('lets timers and sockets have their turn while one statement follows the other', async () => {
    const open = await openEmbeddedPostgres('memory://', { seed: await testSeed() });
    const pool = new Pool(open.poolConfig());
    let turns = 0;
    const ticking = setInterval(() => turns++, 1);
    try {
      // As many as take seconds: where statements keep the loop to themselves, no timer has its turn in all of them.
      for (let statements = 0; turns < 3 && statements < 20_000; statements++) await pool.query('SELECT 1');
      expect(turns).toBe(3);
    } finally {
      clearInterval(ticking);
      await pool.end();
      await open.close();
    }
  });

  it('goes on in a transaction after rolling back to a savepoint', async () => {
    await database.dataSource.transaction(async (manager) => {
      await manager.query('INSERT INTO sample (id) VALUES (1)');
      await expect(manager.transaction((inner) => inner.query('INSERT INTO sample (id) VALUES (1)'))).rejects.toMatchObject({
        code: '23505',
      });
      await manager.query('INSERT INTO sample (id) VALUES (2)');
    });
    expect(await query('SELECT id FROM sample ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it('carries 5 MB of text, JSON and bytes both ways unchanged', async () => {
    const label = 'ä\u{1F600}z'.repeat(700_000);
    const bytes = Buffer.alloc(5_000_000, Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
    await query('INSERT INTO sample VALUES (1, $1, $2, $3)', [label, { label }, bytes]);
    const [row] = await query('SELECT * FROM sample');
    expect(row.label === label).toBe(true);
    expect(row.body.label === label).toBe(true);
    expect(bytes.equals(row.bytes)).toBe(true);
  });

  it('takes 30,000 parameters in one statement', async () => {
    const ids = Array.from({ length: 30_000 }, (_, i) => i);
    await query(`INSERT INTO sample (id) VALUES ${ids.map((i) => `($${i + 1})`).join(',')}`, ids);
    expect(await query('SELECT count(*)::int AS n, max(id) FROM sample')).toEqual([{ n: 30_000, max: 29_999 }]);
  });

  it('upserts by unnest, with nulls, quotes and braces in the values', async () => {
    const upsert = (labels: (string | null)[]) =>
      query(
        `INSERT INTO sample (id, label) SELECT * FROM unnest($1::int[], $2::text[])
         ON CONFLICT (id) DO UPDATE SET label = excluded.label WHERE sample.label IS DISTINCT FROM excluded.label RETURNING id`,
        [labels.map((_, i) => i), labels],
      );
    expect(await upsert(['a"b', null, '{x,y}', '\\'])).toHaveLength(4);
    expect(await upsert(['a"b', null, '{x,y}', 'new'])).toEqual([{ id: 3 }]);
    expect(await query('SELECT label FROM sample ORDER BY id')).toEqual([
      { label: 'a"b' },
      { label: null },
      { label: '{x,y}' },
      { label: 'new' },
    ]);
  });

  it('gives each row to one of 20 concurrent claims with SKIP LOCKED', async () => {
    await query('INSERT INTO sample (id) SELECT generate_series(1, 100)');
    const claim = () =>
      database.dataSource.transaction(async (manager) => {
        const claimed: { id: number }[] = await manager.query(
          'SELECT id FROM sample WHERE label IS NULL ORDER BY id LIMIT 5 FOR UPDATE SKIP LOCKED',
        );
        await manager.query("UPDATE sample SET label = 'claimed' WHERE id = ANY($1)", [claimed.map(({ id }) => id)]);
        return claimed;
      });
    const claims = (await Promise.all(Array.from({ length: 20 }, claim))).flat().map(({ id }) => id);
    expect(new Set(claims).size).toBe(claims.length);
    expect(await query('SELECT count(*)::int AS n FROM sample WHERE label IS NOT NULL')).toEqual([{ n: claims.length }]);
  });
});

describe('the one connection of the embedded database', () => {
  async function withPool(connectionTimeoutMs: number, work: (pool: Pool) => Promise<void>): Promise<void> {
    const embedded = await openEmbeddedPostgres('memory://', { seed: await testSeed(), connectionTimeoutMs });
    const pool = new Pool(embedded.poolConfig());
    pool.on('error', () => undefined);
    try {
      await work(pool);
    } finally {
      await pool.end();
      await embedded.close();
    }
  }

  it('makes waiting for a second connection inside a transaction an error, and stays usable', async () => {
    await withPool(100, async (pool) => {
      const client = await pool.connect();
      await client.query('BEGIN');
      await expect(pool.query('SELECT 1')).rejects.toThrow('timeout exceeded when trying to connect');
      await client.query('COMMIT');
      client.release();
      expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    });
  });

  it('leaves nothing of a connection that was thrown away in the middle of a transaction', async () => {
    await withPool(2_000, async (pool) => {
      await pool.query('CREATE TABLE left_over (id int)');
      const client = await pool.connect();
      await client.query("SET work_mem = '9MB'");
      await client.query('SELECT pg_advisory_lock(7)');
      await client.query({ name: 'prepared', text: 'SELECT 1' });
      await client.query('BEGIN');
      await client.query('INSERT INTO left_over VALUES (1)');
      client.release(new Error('thrown away'));

      expect((await pool.query('SELECT * FROM left_over')).rows).toEqual([]);
      expect((await pool.query("SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory'")).rows).toEqual([{ n: 0 }]);
      expect((await pool.query('SHOW work_mem')).rows).not.toEqual([{ work_mem: '9MB' }]);
      expect((await pool.query({ name: 'prepared', text: 'SELECT 2 AS two' })).rows).toEqual([{ two: 2 }]);
    });
  });

  it('never mixes two connections, even where a pool opens more than one', async () => {
    const embedded = await openEmbeddedPostgres('memory://', { seed: await testSeed() });
    const [first, second] = [new Pool(embedded.poolConfig()), new Pool(embedded.poolConfig())];
    await first.query('CREATE TABLE mixed (id int)');
    const client = await first.connect();
    await client.query('BEGIN');
    await client.query('INSERT INTO mixed VALUES (1)');
    const other = second.query('SELECT count(*)::int AS n FROM mixed');
    await client.query('ROLLBACK');
    client.release();
    await first.end();
    expect((await other).rows).toEqual([{ n: 0 }]);
    await second.end();
    await embedded.close();
  });

  it('answers as a lost connection does once it is closed', async () => {
    const embedded = await openEmbeddedPostgres('memory://', { seed: await testSeed() });
    const pool = new Pool(embedded.poolConfig());
    pool.on('error', () => undefined);
    await pool.query('SELECT 1');
    await embedded.close();
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: '08006' });
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: '08006' });
    await pool.end();
  });
});
