import type { PlainProvider } from '../../src/integrations';
import { PLAIN_PROVIDERS } from '../../src/providers';
import { PlainTrial } from '../support/plain-trial';
import { IN_FULL } from '../support/providers-in-full';

type Check = (trial: PlainTrial, declaration: PlainProvider) => Promise<void>;

const inFull = PLAIN_PROVIDERS.filter(({ key }) => IN_FULL.includes(key));

const once: Check = (trial, declaration) =>
  trial.expectOnce(
    declaration,
    declaration.operations!.find(({ idempotent }) => !idempotent)!,
  );
const onlyChanges: Check = (trial, declaration) =>
  trial.expectOnlyChanges(declaration, declaration.resources!.find(({ since }) => since)!.name);
const eventsKept: Check = (trial, declaration) => trial.expectEventsKept(declaration);
const newestKept: Check = (trial, declaration) => trial.expectNewestKept(declaration);

interface Mutation {
  readonly what: string;
  readonly check: Check;
  /** What is said of a provider that is not so; undefined: it has nothing of the kind. */
  of(declaration: PlainProvider): Partial<PlainProvider> | undefined;
}

const hasRecords = ({ webhooks }: PlainProvider) => webhooks?.records?.some(({ at }) => at !== undefined) ?? false;

/** What is said wrongly of every provider, and the check that must see it. */
const MUTATIONS: readonly Mutation[] = [
  { what: 'events without what they do', check: eventsKept, of: ({ webhooks }) => ({ webhooks: { ...webhooks!, records: [] } }) },
  {
    what: 'a deletion that is none',
    check: eventsKept,
    of: ({ webhooks }) =>
      webhooks?.records?.some(({ gone = [] }) => gone.length > 0)
        ? { webhooks: { ...webhooks, records: webhooks.records.map((each) => ({ ...each, gone: [] })) } }
        : undefined,
  },
  {
    what: 'objects without an order',
    check: newestKept,
    of: (declaration) => {
      const webhooks = { ...declaration.webhooks!, objectVersion: [] };
      const resources = declaration.resources!.map((each) => ({ ...each, version: [] }));
      return hasRecords(declaration) ? { webhooks, resources } : undefined;
    },
  },
  {
    what: 'a POST that is called repeatable by a key that is not honoured',
    check: once,
    of: ({ operations = [] }) => ({ operations: operations.map((each) => ({ ...each, repeat: 'header:X-Not-Honoured' })) }),
  },
  {
    what: '`since` that is not asked for',
    check: onlyChanges,
    of: ({ resources = [] }) =>
      resources.some(({ since }) => since)
        ? {
            resources: resources.map((each) => {
              if (!each.since) return each;
              // Without its own call, the list comes in its usual order.
              if ('newestFirst' in each.since) return { ...each, since: { newestFirst: {} } };
              return { ...each, since: { ...each.since, param: 'ignored', as: 'iso' as const } };
            }),
          }
        : undefined,
  },
];

/** The pretend providers do what is so; the service is told otherwise. */
async function startWith(mutationOf: (declaration: PlainProvider) => Partial<PlainProvider> | undefined) {
  const truths = inFull.map((declaration) => ({ ...declaration }));
  inFull.forEach((declaration) => Object.assign(declaration, mutationOf(declaration)));
  const trial = await PlainTrial.start(truths);
  return {
    trial,
    end: async () => {
      await trial.close();
      inFull.forEach((declaration, index) => Object.assign(declaration, truths[index]));
    },
  };
}

describe('the checks of plain providers', () => {
  describe.each([
    ['events', eventsKept, () => true],
    ['operations', once, () => true],
    ['changes', onlyChanges, ({ resources = [] }: PlainProvider) => resources.some(({ since }) => since)],
    ['order', newestKept, () => true],
  ] as const)('hold for what is so: %s', (_, check, has) => {
    let started: Awaited<ReturnType<typeof startWith>>;
    beforeAll(async () => (started = await startWith(() => undefined)));
    afterAll(() => started.end());
    it.each(inFull.filter(has).map((each) => [each.key, each] as const))('%s', (_key, declaration) => check(started.trial, declaration));
  });

  describe.each(MUTATIONS)('fail for $what', ({ check, of }) => {
    const wrong = inFull.filter((declaration) => of(declaration) !== undefined);
    let started: Awaited<ReturnType<typeof startWith>>;
    beforeAll(async () => (started = await startWith(of)));
    afterAll(() => started.end());
    it.each(wrong.map((each) => [each.key, each] as const))('%s', async (_key, declaration) => {
      // What an assertion says, and not that the trial broke down.
      await expect(check(started.trial, declaration)).rejects.toThrow(/toEqual|toBeGreaterThan|toHaveLength/);
    });
  });
});
