import { describeStatement } from '../../../test/support/statements/describe-statement';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { ALERT_RULES, type Finding } from './alert-rules';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const COLUMNS: Readonly<Record<keyof Finding, string>> = {
  key: 'text',
  provider: 'text',
  tenant: 'text',
  connection_id: 'uuid',
  count: 'int4',
  about: 'text',
  code: 'text',
};

it.each(ALERT_RULES.map(({ kind, sql }) => [kind, sql]))('%s gives the columns of a finding', async (_kind, sql) => {
  const { columns } = await describeStatement(database.dataSource, sql);
  const types = await database.dataSource.query<{ oid: number; typname: string }[]>('SELECT oid, typname FROM pg_type');
  const nameOf = new Map(types.map(({ oid, typname }) => [oid, typname]));
  expect(Object.fromEntries(columns.map(({ name, oid }) => [name, nameOf.get(oid)]))).toEqual(COLUMNS);
});

it('a sync that a provider puts off by its limits is held back, and has not failed by itself', () => {
  const rule = ALERT_RULES.find(({ kind }) => kind === 'sync_failing')!;
  const finding = { key: 'k', provider: 'acme', tenant: 't', connection_id: null, count: 3, about: 'Shop' };
  const limited = rule.describe({ ...finding, code: 'provider_rate_limited' }, 'Acme');
  expect(limited.title).toBe('Syncing Shop is held back: Acme asks us to slow down');
  expect(JSON.stringify(limited)).not.toMatch(/fail/);
  expect(rule.describe({ ...finding, code: 'provider_unavailable' }, 'Acme').title).toBe('Syncing Shop keeps failing');
});
