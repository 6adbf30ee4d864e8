import { Client } from 'pg';

/** A node of a plan: https://www.postgresql.org/docs/current/sql-explain.html */
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

export interface PlannedStatement {
  readonly text: string;
  /** Tables, or partitions, that are read from their beginning to their end. */
  readonly readWhole: readonly string[];
}

interface Given {
  readonly text: string;
  readonly values?: unknown[];
}

type Query = (this: Client, statement: unknown, values?: unknown[]) => unknown;

/** What is read in parts is planned as a whole. */
const CURSOR = /^\s*DECLARE \w+ (?:NO SCROLL )?CURSOR FOR/i;
/** Shows a script and nothing to plan: `START TRANSACTION; SELECT set_config(...)`. */
const PLANNED = /^\s*(?:\/\*.*\*\/)?\s*(?:SELECT|WITH|INSERT|UPDATE|DELETE)\b/i;

/**
 * Runs `work`, and asks the database for the plan of each of its statements: on the same connection and just before it, so under the same role,
 * for the same organization and with the same values.
 */
export async function plansOf(work: () => Promise<unknown>): Promise<PlannedStatement[]> {
  const prototype = Client.prototype as unknown as { query: Query };
  const { query } = prototype;
  const plans: Promise<PlannedStatement | undefined>[] = [];
  prototype.query = function (statement, values) {
    const { text, values: given = values ?? [] } = (typeof statement === 'string' ? { text: statement } : statement) as Given;
    const planned = typeof text === 'string' ? text.replace(CURSOR, '') : '';
    if (PLANNED.test(planned)) plans.push(planOf((sql, params) => query.call(this, sql, params), planned, given));
    return query.call(this, statement, values);
  };
  try {
    await work();
  } finally {
    prototype.query = query;
  }
  return (await Promise.all(plans)).filter((plan) => plan !== undefined);
}

async function planOf(
  query: (sql: string, params: unknown[]) => unknown,
  text: string,
  values: unknown[],
): Promise<PlannedStatement | undefined> {
  try {
    const { rows } = (await query(`EXPLAIN (FORMAT JSON) ${text}`, values)) as { rows: { 'QUERY PLAN': { Plan: PlanNode }[] }[] };
    const root = rows[0]?.['QUERY PLAN'][0]?.Plan;
    return root && { text, readWhole: [...new Set(wholeReads(root))] };
  } catch {
    return undefined; // the statement itself fails as well, and says so
  }
}

function wholeReads({ 'Node Type': type, 'Relation Name': table, Plans: below = [] }: PlanNode): string[] {
  return [...(type === 'Seq Scan' && table ? [table] : []), ...below.flatMap(wholeReads)];
}
