import 'reflect-metadata';
import { SchedulerRegistry } from '@nestjs/schedule';
import { DataSource } from 'typeorm';
import { createApp, listen, tellParent } from '../../src/bootstrap';
import { readEnvironment } from '../../src/config/env';
import { asService } from '../../src/database';
import { createLogger } from '../../src/http-api/logging';
import { PeriodicTasks, ProcessPresence, WakeUp, type ClaimedJob, type JobKind } from '../../src/integrations/jobs';
import { AlertEvaluator } from '../../src/integrations/monitoring/alert-evaluator';
import { ALERT_RULES } from '../../src/integrations/monitoring/alert-rules';
import { Outbox } from '../../src/integrations/notifications/outbox';
import { ProviderRegistry } from '../../src/integrations/providers';
import { PROVIDER_SETTINGS } from '../../src/providers';
import { instancesOf, ticksOf } from '../../test/support/ticks';
import { answerCollections } from './collected-memory';

/** What was done on request, and what came of it. */
export interface Done {
  readonly ms: number;
  /** Jobs of a claim. */
  readonly count: number;
}

const ROOM = 64;

type Work = () => Promise<unknown>;

/** The service as `src/main.ts` starts it, but that what it does by itself is done when it is asked for: by a message `{ work: name }`. */
async function main(): Promise<void> {
  const settings = readEnvironment(PROVIDER_SETTINGS);
  const app = await createApp(settings, { logger: createLogger(settings) });
  const timers = app.get(SchedulerRegistry, { strict: false });
  for (const name of timers.getIntervals()) timers.deleteInterval(name);
  Object.assign(app.get(PeriodicTasks, { strict: false }), { settings: { workers: true } });
  const works = worksOf(app);
  process.on('message', ({ work, number }: { work?: string; number: number }) => {
    if (work === undefined) return;
    const done = work === '' ? Promise.resolve([...works.keys()]) : timed(works.get(work));
    done.then(
      (answer) => process.send?.({ number, answer }),
      (error: unknown) => process.send?.({ number, error: String(error) }),
    );
  });
  await listen(app, settings);
  tellParent(settings);
  answerCollections();
}

async function timed(work?: Work): Promise<Done> {
  if (!work) throw new Error('There is no such work');
  const from = performance.now();
  const answer = await asService(work);
  return { ms: performance.now() - from, count: typeof answer === 'number' ? answer : 0 };
}

type App = Awaited<ReturnType<typeof createApp>>;

function worksOf(app: App): Map<string, Work> {
  const get = <T>(token: abstract new (...args: never[]) => T): T => app.get<T>(token as never, { strict: false });
  const rules = ALERT_RULES.map((rule): [string, Work] => {
    const evaluator = new AlertEvaluator(get(DataSource), get(ProviderRegistry), get(WakeUp), get(Outbox), [rule]);
    return [`rule ${rule.kind}`, () => evaluator.evaluate()];
  });
  const claims = instancesOf(app)
    .filter(isKind)
    .map((kind): [string, Work] => [`claim of ${kind.topic}`, () => claimed(kind, get(ProcessPresence))]);
  return new Map([...rules, ...claims, ...ticksOf(app).map(({ name, tick }): [string, Work] => [`tick ${name}`, tick])]);
}

function isKind(instance: object): instance is JobKind<ClaimedJob> {
  const { topic, claim, options } = instance as Partial<JobKind<ClaimedJob>>;
  return typeof topic === 'string' && typeof claim === 'function' && options !== undefined;
}

/** As a worker with nothing in hand asks. */
async function claimed(kind: JobKind<ClaimedJob>, presence: ProcessPresence): Promise<number> {
  const { signal } = new AbortController();
  const { leaseSeconds } = kind.options;
  const { jobs } = await kind.claim({ room: ROOM, held: [], leaseSeconds, newLease: () => presence.newLease(), signal });
  return jobs.length;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
