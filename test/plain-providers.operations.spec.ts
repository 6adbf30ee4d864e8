import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { PlainOperation, PlainProvider } from '../src/integrations';
import { PLAIN_PROVIDERS } from '../src/providers';
import { PlainSandbox } from '../sandbox/plain/plain-sandbox';
import { exampleOfSchema } from '../sandbox/plain/schema-example';
import { Browser } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

type Fields = Record<string, unknown>;

const acting = PLAIN_PROVIDERS.filter(({ operations = [] }) => operations.length > 0);
const cases = acting.flatMap((declaration) =>
  (declaration.operations ?? []).map((operation) => [`${declaration.key} ${operation.name}`, declaration, operation] as const),
);
const inputOf = ({ input }: PlainOperation) => exampleOfSchema(z.toJSONSchema(input) as Parameters<typeof exampleOfSchema>[0]) as Fields;
const placesOf = ({ path }: PlainOperation) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);

describe('what a declaration says of its operations', () => {
  let app: TestApp;
  let sandbox: PlainSandbox;
  let browser: Browser;
  const connections = new Map<string, string>();

  beforeAll(async () => {
    sandbox = await PlainSandbox.start(PLAIN_PROVIDERS);
    app = await startTestApp({ settings: { ...sandbox.env(), REQUESTS_PER_SECOND: '10000', WORKERS: 'false' } });
    browser = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'ada' }));
  });
  afterAll(async () => {
    await app.close();
    await sandbox.stop();
  });

  async function connected({ key, ask = {}, oauth2 }: PlainProvider): Promise<string> {
    const fields = Object.fromEntries(Object.entries(ask).map(([name, { example }]) => [name, example]));
    let id = connections.get(key);
    if (id === undefined && oauth2) id = (await browser.connect(key, {}, { fields })).searchParams.get('connection') ?? '';
    if (id === undefined) {
      const given = { provider: key, apiKey: sandbox.world(key).key, fields };
      id = (await browser.api<{ id: string }>('POST', '/v1/connections', given)).body.id;
    }
    connections.set(key, id);
    return id;
  }
  const run = async (declaration: PlainProvider, name: string, input: unknown, key: string = randomUUID()) =>
    browser.api<Fields>('POST', `/v1/connections/${await connected(declaration)}/operations/${name}`, input, {
      headers: { 'idempotency-key': key },
    });

  it.each(cases)('%s is carried out once, and its answer is what is declared', async (_, declaration, operation) => {
    const { made } = sandbox.world(declaration.key);
    const before = made.length;
    const input = inputOf(operation);
    const key = randomUUID();
    const first = await run(declaration, operation.name, input, key);
    expect(first).toMatchObject({ status: operation.makes ? 201 : 200 });
    expect(operation.output.safeParse(first.body)).toMatchObject({ success: true });
    const again = await run(declaration, operation.name, input, key);
    expect([again.status, again.body, again.headers.get('idempotent-replayed')]).toEqual([first.status, first.body, 'true']);

    const places = placesOf(operation);
    const rest = Object.fromEntries(Object.entries(input).filter(([name]) => !places.includes(name)));
    const path = operation.path.replace(/\{(\w+)\}/g, (_place, name: string) => String(input[name]));
    expect(made.slice(before)).toMatchObject([{ operation: operation.name, path, fields: rest }]);
    const { body } = await browser.api<{ data: { name: string; available: boolean }[] }>(
      'GET',
      `/v1/operations?provider=${declaration.key}`,
    );
    expect(body.data).toContainEqual(expect.objectContaining({ name: operation.name, available: true }));
    expect(await run(declaration, operation.name, { ...input, unheard: 1 })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
    expect(made).toHaveLength(before + 1);
  });

  it.each(cases)('%s, cut off before its answer, happens once', async (_, declaration, operation) => {
    const { made } = sandbox.world(declaration.key);
    const before = made.length;
    const key = randomUUID();
    sandbox.cutNext(declaration.key);
    const first = await run(declaration, operation.name, inputOf(operation), key);
    const again = await run(declaration, operation.name, inputOf(operation), key);
    if (operation.repeat === undefined || operation.repeat === 'none') {
      expect([first.body['code'], again.body['code']]).toEqual(['outcome_unknown', 'outcome_unknown']);
    } else {
      expect(first.status).toBeGreaterThanOrEqual(500);
      expect(again).toMatchObject({ status: operation.makes ? 201 : 200 });
    }
    expect(made).toHaveLength(before + 1);
  });

  it('leads to no other path than its own, whatever a field holds', async () => {
    const github = acting.find(({ key }) => key === 'github') as PlainProvider;
    const { made } = sandbox.world('github');
    const before = made.length;
    const issue = { owner: 'octo', repo: '..', title: 'x' };
    expect(await run(github, 'issues.create', issue)).toMatchObject({ body: { code: 'destination_refused' } });
    expect(made).toHaveLength(before);
    expect((await run(github, 'issues.create', { ...issue, repo: 'a/../../user?x#' })).status).toBe(201);
    expect(made.at(-1)?.path).toBe('repos/octo/a%2F..%2F..%2Fuser%3Fx%23/issues');
  });

  it('takes an answer that is not what was declared for no success', async () => {
    const github = acting.find(({ key }) => key === 'github') as PlainProvider;
    sandbox.answerNext('github', { status: 201, body: { message: 'no issue' } });
    const issue = { owner: 'octo', repo: 'hello', title: 'x' };
    expect(await run(github, 'issues.create', issue)).toMatchObject({ status: 409, body: { code: 'outcome_unknown' } });
  });
});
