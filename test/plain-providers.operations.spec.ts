import { randomUUID } from 'node:crypto';
import type { PlainOperation, PlainProvider } from '../src/integrations';
import { PLAIN_PROVIDERS } from '../src/providers';
import { inputOf, PlainTrial } from './support/plain-trial';

const acting = PLAIN_PROVIDERS.filter(({ operations = [] }) => operations.length > 0);
const cases = acting.flatMap((declaration) =>
  (declaration.operations ?? []).map((operation) => [`${declaration.key} ${operation.name}`, declaration, operation] as const),
);
const placesOf = ({ path }: PlainOperation) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);

describe('what a declaration says of its operations', () => {
  let trial: PlainTrial;
  beforeAll(async () => {
    trial = await PlainTrial.start();
  });
  afterAll(() => trial.close());

  it.each(cases)('%s is carried out once, and its answer is what is declared', async (_, declaration, operation) => {
    const { made } = trial.sandbox.world(declaration.key);
    const before = made.length;
    const input = inputOf(operation);
    const key = randomUUID();
    const first = await trial.run(declaration, operation.name, input, key);
    expect(first).toMatchObject({ status: operation.makes ? 201 : 200 });
    expect(operation.output.safeParse(first.body)).toMatchObject({ success: true });
    const again = await trial.run(declaration, operation.name, input, key);
    expect([again.status, again.body, again.headers.get('idempotent-replayed')]).toEqual([first.status, first.body, 'true']);

    const places = placesOf(operation);
    const rest = Object.fromEntries(Object.entries(input).filter(([name]) => !places.includes(name)));
    const path = operation.path.replace(/\{(\w+)\}/g, (_place, name: string) => String(input[name]));
    expect(made.slice(before)).toMatchObject([{ operation: operation.name, path, fields: rest }]);
    const { body } = await trial.browser.api<{ data: { name: string; available: boolean }[] }>(
      'GET',
      `/v1/operations?provider=${declaration.key}`,
    );
    expect(body.data).toContainEqual(expect.objectContaining({ name: operation.name, available: true }));
    expect(await trial.run(declaration, operation.name, { ...input, unheard: 1 })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
    expect(made).toHaveLength(before + 1);
  });

  it.each(cases)('%s, cut off before its answer, happens once', async (_, declaration, operation) => {
    await trial.expectOnce(declaration, operation);
  });

  it('leads to no other path than its own, whatever a field holds', async () => {
    const github = acting.find(({ key }) => key === 'github') as PlainProvider;
    const { made } = trial.sandbox.world('github');
    const before = made.length;
    const issue = { owner: 'octo', repo: '..', title: 'x' };
    expect(await trial.run(github, 'issues.create', issue)).toMatchObject({ body: { code: 'destination_refused' } });
    expect(made).toHaveLength(before);
    expect((await trial.run(github, 'issues.create', { ...issue, repo: 'a/../../user?x#' })).status).toBe(201);
    expect(made.at(-1)?.path).toBe('repos/octo/a%2F..%2F..%2Fuser%3Fx%23/issues');
  });

  it('takes an answer that is not what was declared for no success', async () => {
    const github = acting.find(({ key }) => key === 'github') as PlainProvider;
    trial.sandbox.answerNext('github', { status: 201, body: { message: 'no issue' } });
    const issue = { owner: 'octo', repo: 'hello', title: 'x' };
    expect(await trial.run(github, 'issues.create', issue)).toMatchObject({ status: 409, body: { code: 'outcome_unknown' } });
  });
});
