import { Client } from 'pg';
import { SINK_TABLE } from './sink-table';

/**
 * Where a process can die on an event's way to done: claimed in the commit that stored it or by the loop, and from there on. The last
 * two are in the handler that calls a provider first.
 */
export const CRASH_POINTS = [
  'stored',
  'claimed',
  'before-mark',
  'marked',
  'effect-written',
  'before-commit',
  'after-commit',
  'before-call',
  'after-call',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

const STORED = /WITH stored AS[\s\S]*INSERT INTO webhook_events/;
const CLAIM = /WITH RECURSIVE pending/;
const MARK = /WITH marked AS[\s\S]*status = 'completed'/;

interface Answer {
  readonly rows: readonly { id: string | null }[];
}

/** Ends this process as `kill -9` does, the first time it comes to the point that it was started for. */
export function dieAt(point: CrashPoint, armed = process.env.FAULT_CRASH_AT): void {
  if (armed === point) process.kill(process.pid, 'SIGKILL');
}

/** Watches the statements as the driver gets them: no hook is in the product's own code. */
export function watchForCrash(): void {
  const { prototype } = Client;
  const query = prototype.query as (...args: unknown[]) => unknown;
  const marking = new WeakSet<object>();
  const watch = function (this: Client, ...args: unknown[]): unknown {
    const [first] = args;
    const sql = typeof first === 'string' ? first : ((first as { text?: string } | undefined)?.text ?? '');
    const isMark = MARK.test(sql);
    if (isMark) dieAt('before-mark');
    if (sql === 'COMMIT' && marking.has(this)) dieAt('before-commit');
    const answer = query.apply(this, args);
    if (!(answer instanceof Promise)) return answer;
    return answer.then((result: Answer) => {
      const some = () => result.rows.some(({ id }) => id !== null);
      if (STORED.test(sql) && some()) dieAt('stored');
      if (CLAIM.test(sql) && some()) dieAt('claimed');
      if (isMark) {
        marking.add(this);
        dieAt('marked');
      }
      if (sql.includes(`INSERT INTO ${SINK_TABLE}`)) dieAt('effect-written');
      if (sql === 'COMMIT' && marking.has(this)) dieAt('after-commit');
      if (sql === 'COMMIT' || sql === 'ROLLBACK') marking.delete(this);
      return result;
    });
  };
  Object.assign(prototype, { query: watch });
}
