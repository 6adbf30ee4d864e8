import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';

describe('the database behind the pg driver', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    await database.dataSource.query('CREATE TABLE sample (id int PRIMARY KEY, label text, body jsonb, bytes bytea)');
  });
  beforeEach(() => database.dataSource.query('TRUNCATE sample'));
  afterAll(() => database.close());

  const ids = async () => (await database.dataSource.query('SELECT id FROM sample ORDER BY id')).map((row: { id: number }) => row.id);

  it('keeps exactly the committed rows of 50 concurrent transactions, 10 rolled back, and 30 inserts', async () => {
    const transactions = Array.from({ length: 50 }, (_, i) =>
      database.dataSource.transaction(async (manager) => {
        await manager.query('INSERT INTO sample (id) VALUES ($1)', [i]);
        await manager.query('INSERT INTO sample (id) VALUES ($1)', [1000 + i]);
        if (i % 5 === 0) throw new Error('rolled back on purpose');
      }),
    );
    const inserts = Array.from({ length: 30 }, (_, i) => database.dataSource.query('INSERT INTO sample (id) VALUES ($1)', [2000 + i]));
    const outcomes = await Promise.allSettled([...transactions, ...inserts]);

    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(10);
    const kept = Array.from({ length: 50 }, (_, i) => i).filter((i) => i % 5 !== 0);
    expect(await ids()).toEqual([...kept, ...kept.map((i) => 1000 + i), ...Array.from({ length: 30 }, (_, i) => 2000 + i)]);
  });
});
