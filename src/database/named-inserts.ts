import { Client, type QueryConfig } from 'pg';

/** Such a statement is kept from its third run on: what is asked once or twice is not worth a place. */
const RUNS_BEFORE = 2;
/** Statements that are kept, of this process; each connection keeps its own copy of those it has run. */
const MOST_KEPT = 100;
const MOST_SEEN = 1_000;
const MOST_CHARS = 4_000;

const INSERTS_VALUES = /^\s*insert\s+into\s.+?\svalues\s*\(/is;
/** What would read a table, or give back columns that a migration may change. */
const READS = /\b(select|with|from|using)\b|\*/i;

/** How often a statement was run that may be kept; -1 for one that may not. */
const runs = new Map<string, number>();
const names = new Map<string, string>();

/**
 * The name under which each connection keeps the statement, so that the server parses it once. Only for statements that insert
 * given values: they have one plan, whatever the values and however the tables grow.
 */
function keptName(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size === MOST_KEPT) return known;
  const before = runs.get(text) ?? (isKeepable(text) ? 0 : -1);
  if (before < RUNS_BEFORE) {
    if (runs.size === MOST_SEEN) runs.clear();
    runs.set(text, before < 0 ? before : before + 1);
    return undefined;
  }
  const name = `kept_${names.size}`;
  names.set(text, name);
  runs.delete(text);
  return name;
}

function isKeepable(text: string): boolean {
  return text.length <= MOST_CHARS && INSERTS_VALUES.test(text) && !READS.test(text);
}

/** The client that TypeORM's pool is made of. */
export class KeptInsertsClient extends Client {
  /** With the overloads of the driver; only `query(text, values)`, as TypeORM asks, is of interest here. */
  override query(...args: unknown[]): never {
    const [text, values] = args;
    const name = args.length === 2 && typeof text === 'string' && Array.isArray(values) ? keptName(text) : undefined;
    const given = name === undefined ? args : [{ name, text, values } as QueryConfig];
    return (super.query as (...all: unknown[]) => never).apply(this, given);
  }
}
