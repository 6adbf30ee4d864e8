import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import type { EntityMetadata } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../test/support/test-database';
import { startTestApp } from '../../test/support/test-app';
import { DataSource } from 'typeorm';

const SRC = join(__dirname, '..');
const FILES = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.entity.ts'))
  .map((name) => join(SRC, name));

/** What the driver makes of a column, as an entity writes it. What is not listed may be narrower: a union of texts, the shape of a jsonb. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  uuid: ['string'],
  bigint: ['string'],
  numeric: ['string'],
  integer: ['number'],
  'double precision': ['number'],
  boolean: ['boolean'],
  bytea: ['Buffer'],
  'timestamp with time zone': ['Date'],
  'uuid[]': ['string[]'],
};
const ANY_BUT = new Set(['number', 'boolean', 'Date', 'Buffer', 'bigint']);

interface Declared {
  readonly type: string;
  readonly nullable: boolean;
}

/** The properties of the class in a file, with the types that the compiler goes by. */
function declarationsOf(file: string): Map<string, Declared> {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);
  const declared = new Map<string, Declared>();
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyDeclaration(node) && node.type) {
      const parts = ts.isUnionTypeNode(node.type) ? [...node.type.types] : [node.type];
      const kept = parts.filter((part) => part.getText() !== 'null');
      declared.set(node.name.getText(), { type: kept.map((part) => part.getText()).join(' | '), nullable: kept.length < parts.length });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return declared;
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly key: boolean;
}

let database: TestDatabase;
const entities = new Map<string, EntityMetadata>();
beforeAll(async () => {
  const classes = FILES.map((file) => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- every entity that there is, without a list
    const exported = Object.values(require(file) as Record<string, unknown>).filter((value) => typeof value === 'function');
    expect(exported).toHaveLength(1);
    return exported[0] as new () => object;
  });
  database = await createTestDatabase({ entities: classes });
  FILES.forEach((file, index) => entities.set(file, database.dataSource.getMetadata(classes[index] as new () => object)));
});
afterAll(() => database.close());

const columnsOf = (table: string) =>
  database.dataSource.query<Column[]>(
    `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
       EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)) AS key
     FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attname`,
    [table],
  );

it.each(FILES.map((file) => [file.slice(SRC.length + 1), file]))('%s is the table of the migrated schema', async (_name, file) => {
  const { tableName, columns } = entities.get(file) as EntityMetadata;
  const { driver } = database.dataSource;
  const declared: Column[] = columns.map((column) => ({
    name: column.databaseName,
    type: driver.normalizeType(column) + (column.isArray ? '[]' : ''),
    nullable: column.isNullable,
    key: column.isPrimary,
  }));
  expect(declared.sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(await columnsOf(tableName));
});

it.each(FILES.map((file) => [file.slice(SRC.length + 1), file]))('%s gives its columns the types that the driver does', (_name, file) => {
  const properties = declarationsOf(file);
  for (const column of (entities.get(file) as EntityMetadata).columns) {
    const type = database.dataSource.driver.normalizeType(column) + (column.isArray ? '[]' : '');
    const property = properties.get(column.propertyName);
    expect([column.propertyName, property?.nullable]).toEqual([column.propertyName, column.isNullable]);
    const allowed = TYPES[type];
    if (allowed) expect({ [column.propertyName]: allowed }).toEqual({ [column.propertyName]: [property?.type] });
    else expect([column.propertyName, ANY_BUT.has(property?.type ?? '')]).toEqual([column.propertyName, false]);
  }
});

it('gives the service every entity: none was left out of its module', async () => {
  const app = await startTestApp({ sandbox: false });
  const served = app.app.get(DataSource).entityMetadatas.map(({ tableName }) => tableName);
  await app.close();
  expect(served.sort()).toEqual([...entities.values()].map(({ tableName }) => tableName).sort());
});
