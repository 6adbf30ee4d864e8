import { ConnectionRepository, GovernedHttp, ProviderRegistry, toRef, type PlainProvider, type SyncResource } from '../src/integrations';
import { PLAIN_PROVIDERS } from '../src/providers';
import { itemOf, itemsOf } from '../sandbox/plain/plain-lists';
import { PlainSandbox } from '../sandbox/plain/plain-sandbox';
import { Browser } from './support/browser';
import { walked } from './support/provider-fixture';
import { startTestApp, type TestApp } from './support/test-app';

const syncing = PLAIN_PROVIDERS.filter(({ resources }) => resources).map((declaration) => [declaration.key, declaration] as const);

describe('what a declaration says of its resources', () => {
  let app: TestApp;
  let sandbox: PlainSandbox;
  let browser: Browser;
  beforeAll(async () => {
    sandbox = await PlainSandbox.start(PLAIN_PROVIDERS);
    app = await startTestApp({ settings: { ...sandbox.env(), REQUESTS_PER_SECOND: '10000', WORKERS: 'false' } });
    browser = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'ada' }));
  });
  afterAll(async () => {
    await app.close();
    await sandbox.stop();
  });

  async function connect({ key, ask = {}, oauth2 }: PlainProvider): Promise<string> {
    const fields = Object.fromEntries(Object.entries(ask).map(([name, { example }]) => [name, example]));
    if (oauth2) return (await browser.connect(key, {}, { fields })).searchParams.get('connection') ?? '';
    const { body } = await browser.api<{ id: string }>('POST', '/v1/connections', {
      provider: key,
      apiKey: sandbox.world(key).key,
      fields,
    });
    return body.id;
  }

  it.each(syncing)('%s: every page, from a checkpoint too, and what changed since', async (key, declaration) => {
    const found = await app.app.get(ConnectionRepository, { strict: false }).findById(await connect(declaration));
    const connection = toRef(found!);
    const fetch = app.app.get(GovernedHttp, { strict: false }).fetchFor(connection, { operation: 'sync' });
    const context = {
      connection,
      fetch,
      partition: '',
      checkpoint: undefined,
      signal: new AbortController().signal,
      now: () => Date.now(),
    };
    const provider = app.app.get(ProviderRegistry, { strict: false }).get(key);
    for (const facts of declaration.resources ?? []) {
      const resource = provider.sync?.resources.find(({ name }) => name === facts.name) as SyncResource;
      const items = itemsOf(sandbox.world(key), facts);
      const all = await walked(resource.full(context));
      expect([...all.records.keys()].sort()).toEqual(items.map((_, index) => `${facts.name}-${index + 1}`));
      // What is missing from a list that is not all there is may be there all the same.
      const partial = { complete: false, why: expect.stringMatching(/^[A-Z].+\.$/) as string };
      if (facts.extent !== 'whole' && 'wholeWith' in facts.extent)
        expect((await walked(resource.full({ ...context, connection: { ...connection, scopes: [] } }))).extent).toEqual(partial);
      else if (facts.extent !== 'whole') expect(all.extent).toEqual(partial);
      const [first] = all.pages;
      if (all.pages.length > 1) {
        const rest = await walked(resource.full({ ...context, checkpoint: first?.checkpoint }));
        expect(rest.records.size).toBe(items.length - (first?.records.length ?? 0));
      }
      if (!facts.since) continue;
      items.push(itemOf(facts, 'changed', Date.now()));
      const changed = await walked(resource.incremental!({ ...context, cursor: all.cursor }));
      expect([...changed.records.keys()]).toEqual(['changed']);
    }
  });

  it('does not take an answer without its list for an empty one', async () => {
    const github = PLAIN_PROVIDERS.find(({ key }) => key === 'github') as PlainProvider;
    const connection = toRef((await app.app.get(ConnectionRepository, { strict: false }).findById(await connect(github)))!);
    const fetch = app.app.get(GovernedHttp, { strict: false }).fetchFor(connection, { operation: 'sync' });
    const [resource] = app.app.get(ProviderRegistry, { strict: false }).get('github').sync?.resources ?? [];
    sandbox.answerNext('github', { status: 200, body: { message: 'no list' } });
    const context = {
      connection,
      fetch,
      partition: '',
      checkpoint: undefined,
      signal: new AbortController().signal,
      now: () => Date.now(),
    };
    await expect(walked(resource!.full(context))).rejects.toMatchObject({ code: 'provider_bad_answer' });
  });
});
