import type { PlainProvider } from '../../src/integrations';
import { PLAIN_PROVIDERS } from '../../src/providers';
import { PlainTrial } from '../support/plain-trial';

type Check = (trial: PlainTrial, declaration: PlainProvider) => Promise<void>;

const once: Check = (trial, declaration) => trial.expectOnce(declaration, declaration.operations![0]!);
const onlyChanges: Check = (trial, declaration) => trial.expectOnlyChanges(declaration, 'issues');
const eventsKept: Check = (trial, declaration) => trial.expectEventsKept(declaration);

const github = PLAIN_PROVIDERS.find(({ key }) => key === 'github') as PlainProvider;
const { webhooks, operations = [], resources = [] } = github;

/** A declaration that says what is not so of GitHub, the check that must see it, and by what. */
const MUTATIONS: readonly (readonly [string, Check, Partial<PlainProvider>, RegExp])[] = [
  ['events without their records', eventsKept, { webhooks: { ...webhooks!, records: [] } }, /./],
  [
    'a deletion that is none',
    eventsKept,
    { webhooks: { ...webhooks!, records: webhooks!.records!.map((each) => ({ ...each, gone: [] })) } },
    /./,
  ],
  [
    'a POST that is called repeatable',
    once,
    { operations: operations.map((each) => ({ ...each, repeat: 'header:Idempotency-Key' })) },
    /length/,
  ],
  [
    '`since` that is not asked for',
    onlyChanges,
    { resources: resources.map((each) => ({ ...each, since: { param: 'ignored', as: 'iso' as const } })) },
    /changed/,
  ],
];

/** The pretend provider does what is so; the service is told otherwise. */
async function tried(check: Check, mutation: Partial<PlainProvider>): Promise<void> {
  const truth = { ...github };
  Object.assign(github, mutation);
  const trial = await PlainTrial.start([truth]);
  try {
    await check(trial, github);
  } finally {
    await trial.close();
    Object.assign(github, truth);
  }
}

describe('the checks of plain providers', () => {
  it.each([
    ['events', eventsKept],
    ['operations', once],
    ['changes', onlyChanges],
  ] as const)('hold for what is so: %s', (_, check) => tried(check, {}));

  it.each(MUTATIONS)('fail for %s', (_, check, mutation, seen) => expect(tried(check, mutation)).rejects.toThrow(seen));
});
