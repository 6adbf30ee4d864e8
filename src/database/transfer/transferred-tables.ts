import type { SqlRunner } from '../sql-runner';

/** How much a table holds, and of what: the same for the same rows, in whatever order they lie. */
export interface TableSum {
  readonly rows: string;
  readonly hash: string;
}

/** Which migrations were run is the schema's, and not what it holds; counts are made anew by the triggers of what they count. */
const NOT_TRANSFERRED: readonly string[] = ['migrations', 'connection_counts'];

/** Every table that is exported, with what it needs before it: a row never points at one that is not there yet. */
export async function transferredTables(db: SqlRunner): Promise<string[]> {
  const rows = await db.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> ALL ($1)
     ORDER BY relname`,
    [NOT_TRANSFERRED],
  );
  const pointing = await db.query<{ from: string; to: string }>(
    `SELECT conrelid::regclass::text AS from, confrelid::regclass::text AS to FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND conrelid <> confrelid`,
  );
  const ordered = new Set<string>();
  const place = (name: string, above: readonly string[] = []) => {
    if (above.includes(name)) throw new Error(`The tables ${above.join(', ')} point at each other.`);
    for (const { from, to } of pointing) if (from === name && !ordered.has(to)) place(to, [...above, name]);
    ordered.add(name);
  };
  for (const { name } of rows) place(name);
  return [...ordered];
}

export async function sumOf(db: SqlRunner, table: string): Promise<TableSum> {
  const [sum] = await db.query<TableSum>(
    `SELECT count(*)::text AS rows, coalesce(sum(('x' || substr(md5(row_to_json(t)::text), 1, 15))::bit(60)::bigint), 0)::text AS hash FROM ${named(table)} t`,
  );
  return sum ?? { rows: '0', hash: '0' };
}

export async function migrationsOf(db: SqlRunner): Promise<string[]> {
  const rows = await db.query<{ name: string }>(`SELECT name FROM migrations ORDER BY name`);
  return rows.map(({ name }) => name);
}

/** Names come from the catalogue, or from a file: whatever stands there is a name and no statement. */
export function named(table: string): string {
  return `"${table.replaceAll('"', '""')}"`;
}
