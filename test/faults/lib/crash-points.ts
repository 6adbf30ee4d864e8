import type { DataSource, QueryRunner } from 'typeorm';
import { SINK_TABLE } from './sink-table';

/** Where a process can die on an event's way from claim to done. The last two are in the handler that calls a provider first. */
export const CRASH_POINTS = [
  'claimed',
  'before-mark',
  'marked',
  'effect-written',
  'guards-written',
  'before-commit',
  'after-commit',
  'before-call',
  'after-call',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

const MARK = /WITH ours AS[\s\S]*status = 'completed'/;
const CLAIM = /WITH RECURSIVE pending/;

/** Ends this process as `kill -9` does, the first time it comes to the point that it was started for. */
export function dieAt(point: CrashPoint, armed = process.env.FAULT_CRASH_AT): void {
  if (armed === point) process.kill(process.pid, 'SIGKILL');
}

/** Watches the statements: no hook is in the product's own code. */
export function watchForCrash(dataSource: DataSource): void {
  const create = dataSource.createQueryRunner.bind(dataSource);
  dataSource.createQueryRunner = (mode) => watched(create(mode));
}

function watched(runner: QueryRunner): QueryRunner {
  const query = runner.query.bind(runner) as (sql: string, ...rest: unknown[]) => Promise<unknown>;
  let marking = false;
  const watch = async (sql: string, ...rest: unknown[]): Promise<unknown> => {
    const isMark = MARK.test(sql);
    if (isMark) dieAt('before-mark');
    if (sql === 'COMMIT' && marking) dieAt('before-commit');
    const answer = await query(sql, ...rest);
    if (CLAIM.test(sql) && (answer as { id: string | null }[]).some(({ id }) => id !== null)) dieAt('claimed');
    if (isMark) {
      marking = true;
      dieAt('marked');
    }
    if (sql.includes(`INSERT INTO ${SINK_TABLE}`)) dieAt('effect-written');
    if (sql.startsWith('UPDATE object_guards')) dieAt('guards-written');
    if (sql === 'COMMIT' && marking) dieAt('after-commit');
    if (sql === 'COMMIT' || sql === 'ROLLBACK') marking = false;
    return answer;
  };
  return Object.assign(runner, { query: watch });
}
