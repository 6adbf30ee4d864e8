import { QueryFailedError } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database';
import { IntegrationError } from '../errors';
import { asStorageError } from './storage-error';
import { inTransaction } from './transaction';

describe('inTransaction', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase({ databasePoolMax: 2 });
    await database.dataSource.query('CREATE TABLE effect (id int PRIMARY KEY)');
  });
  beforeEach(() => database.dataSource.query('TRUNCATE effect'));
  afterAll(() => database.close());

  const raise = (code: string) => `DO $$ BEGIN RAISE EXCEPTION 'on purpose' USING ERRCODE = '${code}'; END $$`;
  const effects = async () => (await database.dataSource.query('SELECT id FROM effect ORDER BY id')).map(({ id }: { id: number }) => id);

  it.each(['40001', '40P01'])('runs again after %s and keeps the effect once', async (code) => {
    let attempts = 0;
    const result = await inTransaction(database.dataSource, async (manager) => {
      await manager.query('INSERT INTO effect VALUES (1)');
      if (++attempts < 3) await manager.query(raise(code));
      return 'done';
    });
    expect([result, attempts, await effects()]).toEqual(['done', 3, [1]]);
  });

  it("gives up after three retries, with the database's error", async () => {
    let attempts = 0;
    const failing = inTransaction(database.dataSource, async (manager) => {
      attempts++;
      await manager.query(raise('40001'));
    });
    await expect(failing).rejects.toMatchObject({ code: '40001' });
    expect(attempts).toBe(4);
  });

  it('does not run again after any other error', async () => {
    let attempts = 0;
    const failing = inTransaction(database.dataSource, async (manager) => {
      attempts++;
      await manager.query('INSERT INTO effect VALUES (1), (1)');
    });
    await expect(failing).rejects.toBeInstanceOf(QueryFailedError);
    expect([attempts, await effects()]).toEqual([1, []]);
  });

  it.each(['53100', '57P03', '08006', '57014', '25006'])('answers storage_unavailable for %s', async (code) => {
    const failing = inTransaction(database.dataSource, (manager) => manager.query(raise(code)));
    await expect(failing).rejects.toMatchObject({ code: 'storage_unavailable', status: 503, retryable: true });
  });

  it('answers storage_unavailable, and soon, when every connection is taken', async () => {
    const runners = Array.from({ length: 2 }, () => database.dataSource.createQueryRunner());
    const holding = database.kind === 'embedded' ? runners.slice(0, 1) : runners;
    await Promise.all(holding.map((runner) => runner.connect()));
    const started = performance.now();
    await expect(inTransaction(database.dataSource, (manager) => manager.query('SELECT 1'))).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
    expect(performance.now() - started).toBeLessThan(10_000);
    await Promise.all(holding.map((runner) => runner.release()));
    expect(await inTransaction(database.dataSource, (manager) => manager.query('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  });

  it("passes the product's own errors on unchanged", async () => {
    const own = new IntegrationError('not_connected');
    await expect(inTransaction(database.dataSource, () => Promise.reject(own))).rejects.toBe(own);
  });
});

describe('asStorageError', () => {
  it.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND'])('knows %s', (code) => {
    expect(asStorageError(Object.assign(new Error('x'), { code }))).toMatchObject({ code: 'storage_unavailable' });
  });
  it('knows a connection that ended, which has no code', () => {
    expect(asStorageError(new Error('Connection terminated unexpectedly'))).toMatchObject({ code: 'storage_unavailable' });
  });
  it("leaves what is not the storage's fault as it is", () => {
    const error = Object.assign(new Error('duplicate'), { code: '23505' });
    expect(asStorageError(error)).toBe(error);
    expect(asStorageError('text')).toBe('text');
  });
});
