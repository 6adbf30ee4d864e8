import { asService } from '../../src/database/caller-scope';

/**
 * What a test asks the database by itself, and the services that it calls by hand, it asks as the service: outside of every request a
 * statement is refused. The application that it starts is outside of this (`startTestApp`) and has to say so itself.
 */
type Work = (...args: never[]) => unknown;
type Define = (name: string, work?: Work, timeout?: number) => unknown;
type DefineTest = Define & Record<string, unknown>;

function asked(work: Work | undefined): Work | undefined {
  if (!work) return work;
  const held: Work = (...args) => asService(() => work(...args));
  return Object.defineProperty(held, 'length', { value: work.length }); // by it the runner knows who takes a callback
}

const defining =
  (define: Define): Define =>
  (name, work, timeout) =>
    define(name, asked(work), timeout);

function definingTests(define: DefineTest): DefineTest {
  const defined = defining(define) as DefineTest;
  const { each, only, skip } = define as unknown as Record<'each', (...table: unknown[]) => Define> & Record<'only' | 'skip', DefineTest>;
  Object.assign(defined, define, each && { each: (...table: unknown[]) => defining(each(...table)) });
  return Object.assign(defined, only && { only: definingTests(only) }, skip && { skip: definingTests(skip) });
}

const globals = globalThis as unknown as Record<string, DefineTest> & Record<string, (work: Work, timeout?: number) => void>;
for (const name of ['it', 'test']) globals[name] = definingTests(globals[name] as DefineTest) as never;
for (const name of ['beforeAll', 'beforeEach', 'afterEach', 'afterAll']) {
  const hook = globals[name] as (work: Work, timeout?: number) => void;
  globals[name] = ((work: Work, timeout?: number) => hook(asked(work) as Work, timeout)) as never;
}
