import { join } from 'node:path';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database';
import { describeStatement, type DescribedColumn } from '../../test/support/statements/describe-statement';
import {
  serviceFiles,
  statementsIn,
  type DeclaredColumn,
  type StatementCall,
  type Statements,
} from '../../test/support/statements/statement-calls';

/** Statements whose text only the running program knows. This list only gets shorter. */
const MADE_WHILE_RUNNING: readonly string[] = [
  'database/caller-scope.ts', // the beginning of a transaction, whose rows nobody reads
  // the tables are the catalogue's: all that there are
  'database/transfer/export-database.ts',
  'database/transfer/import-database.ts',
  'database/transfer/transferred-tables.ts',
  'integrations/connections/personal-data/personal-data.ts',
  'integrations/keys/key-check.service.ts',
  'integrations/keys/key-rotation.service.ts',
  'integrations/monitoring/alert-evaluator.ts',
  'integrations/monitoring/retention.ts',
  'integrations/webhooks/replay/payload-retention.ts',
];

/** With rows that are declared wrongly: what is looked for is found. */
const WRONG = join(__dirname, '../../test/support/statements/wrong-statements.ts');

/** What the driver makes of a type, by its oid: `pg_type`. What is not listed is JSON, and may be declared as what JSON can be. */
const KINDS: Readonly<Record<string, string>> = {
  bool: 'boolean',
  bytea: 'Buffer',
  int2: 'number',
  int4: 'number',
  int8: 'string',
  float4: 'number',
  float8: 'number',
  numeric: 'string',
  text: 'string',
  varchar: 'string',
  name: 'string',
  regclass: 'string',
  uuid: 'string',
  timestamptz: 'Date',
  _text: 'string[]',
  _uuid: 'string[]',
  _int4: 'number[]',
};
const NO_JSON = new Set(['Date', 'Buffer', 'bigint']);
const PREPARABLE = /^\s*(WITH|SELECT|INSERT|UPDATE|DELETE)\b/i;

let database: TestDatabase;
let statements: Statements;
let types: ReadonlyMap<number, string>;
let nullable: ReadonlySet<string>;
beforeAll(async () => {
  database = await createTestDatabase();
  const { dataSource } = database;
  const names = await dataSource.query<{ oid: number; typname: string }[]>('SELECT oid, typname FROM pg_type');
  types = new Map(names.map(({ oid, typname }) => [oid, typname]));
  const columns = await dataSource.query<{ place: string }[]>(
    `SELECT attrelid::int || '.' || attnum AS place FROM pg_attribute WHERE NOT attnotnull AND attnum > 0 AND attrelid::regclass::text NOT LIKE 'pg_%'`,
  );
  nullable = new Set(columns.map(({ place }) => place));
  statements = statementsIn([...serviceFiles(), WRONG]);
}, 240_000);
afterAll(() => database.close());

function faultOf(name: string, declared: DeclaredColumn, column: DescribedColumn | undefined): string | undefined {
  if (!column) return declared.optional ? undefined : `${name} is not given`;
  if (declared.kinds.every((kind) => kind === 'unknown')) return undefined;
  const type = types.get(column.oid) ?? '';
  const kind = KINDS[type];
  const wrong = declared.kinds.find((given) => (kind ? given !== kind : NO_JSON.has(given) || !/^_?jsonb?$/.test(type)));
  if (wrong) return `${name} is ${type}, declared as ${wrong}`;
  return !declared.nullable && nullable.has(`${column.table}.${column.column}`) ? `${name} may be null` : undefined;
}

async function faultsOf(call: StatementCall, text: string): Promise<string[]> {
  if (!PREPARABLE.test(text)) return [];
  let described;
  try {
    described = await describeStatement(database.dataSource, text);
  } catch (error) {
    return [(error as Error).message];
  }
  const { columns, params } = described;
  if (call.params !== undefined && call.params !== params) return [`takes ${params} parameters, is given ${call.params}`];
  if (!call.used || columns.length === 0) return [];
  if (!call.columns) return ['its rows have no type'];
  const bare = /^\s*(UPDATE|DELETE)\b/i.test(text);
  if (call.byTypeOrm && bare !== call.counted)
    return ['TypeORM gives [rows, count] of a bare UPDATE or DELETE, and rows of everything else'];
  const byName = new Map(columns.map((column) => [column.name, column]));
  return [...call.columns].flatMap(([name, declared]) => faultOf(name, declared, byName.get(name)) ?? []);
}

async function allFaultsOf(calls: readonly StatementCall[]): Promise<string[]> {
  const faults: string[] = [];
  for (const call of calls) {
    for (const text of new Set(call.texts ?? [])) faults.push(...(await faultsOf(call, text)).map((fault) => `${call.at} ${fault}`));
  }
  return faults;
}

it('types the rows of every statement as the migrated schema gives them', async () => {
  const calls = statements.calls.filter(({ at }) => !at.includes('wrong-statements'));
  expect(await allFaultsOf(calls)).toEqual([]);
  expect(calls.filter(({ texts, columns }) => texts && columns).length).toBeGreaterThan(80);
}, 120_000);

it('finds what is declared otherwise', async () => {
  const calls = statements.calls.filter(({ at }) => at.includes('wrong-statements'));
  expect((await allFaultsOf(calls)).map((fault) => fault.replace(/^\S+ /, ''))).toEqual([
    'count is int8, declared as number',
    'grant_id may be null',
    'name is not given',
    'created_at is timestamptz, declared as string',
    'TypeORM gives [rows, count] of a bare UPDATE or DELETE, and rows of everything else',
    'takes 1 parameters, is given 2',
    'metadata is jsonb, declared as Date',
    'its rows have no type',
    'relation "no_such_table" does not exist',
  ]);
});

it('can read every statement whose rows are looked at', () => {
  const unread = statements.calls.filter(({ texts, used }) => !texts && used).map(({ at }) => at.replace(/:\d+$/, ''));
  expect([...new Set(unread)].sort()).toEqual(MADE_WHILE_RUNNING);
});

it('meets every statement of *.queries.ts', () => {
  const files = serviceFiles().filter((file) => file.endsWith('.queries.ts'));
  const exported = files.flatMap((file) => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- every file that there is, without a list
    const values = Object.entries(require(file) as Record<string, unknown>);
    return values.filter(([, value]) => typeof value === 'string' && PREPARABLE.test(value)).map(([name]) => `${file} ${name}`);
  });
  expect(exported.filter((name) => !statements.constants.has(name))).toEqual([]);
  expect(exported.length).toBeGreaterThan(30);
});
