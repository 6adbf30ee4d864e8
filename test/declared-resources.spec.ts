import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { ProviderRegistry, type PlainProvider } from '../src/integrations';
import { ConnectionSeals } from '../src/integrations/connections';
import { PLAIN_PROVIDERS } from '../src/providers';
import { Browser } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

type PlainResource = NonNullable<PlainProvider['resources']>[number];

let app: TestApp;
let browser: Browser;
beforeAll(async () => {
  app = await startTestApp({ settings: { WORKERS: 'false', REQUESTS_PER_SECOND: '10000' } });
  browser = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'ada' }));
});
afterAll(() => app.close());

const providers = () => app.app.get(ProviderRegistry, { strict: false }).all();

/** A connection of which nothing was ever read, with these scopes. */
async function connection(provider: string, scopes: readonly string[] = []): Promise<string> {
  const id = randomUUID();
  await app.app.get(DataSource).query(
    `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status, scopes)
     VALUES ($1::uuid, 'acme', 'ada', $2, $1::text, 'Ada', $1::text, 'oauth2', 'connected', $3)`,
    [id, provider, scopes],
  );
  await app.app.get(ConnectionSeals, { strict: false }).sealUnsealed();
  return id;
}

/** What a list may be asked for that leaves nothing out: pages, their order, and what it would leave out otherwise. */
const LEAVES_NOTHING_OUT =
  /^((per_?page|page_?size|page\[size\]|pagelen|limit|max|usemarker|linked_partitioning)=(\d+|true)|(order(_by)?|sort|direction)=[\w()]+|include_archived=true|view=all|state=all|filter=all|membership=true|start_time=0|\$top=\d+|q=SELECT [\w, ]+ FROM \w+ ORDER BY [\w, ]+)$/i;
const isWhole = ({ extent }: PlainResource) => extent === 'whole' || 'wholeWith' in extent;

describe('a list of a plain provider', () => {
  it('asks for nothing that leaves some out, where it is declared to be whole', () => {
    const asked = PLAIN_PROVIDERS.flatMap(({ key, resources = [] }) =>
      resources
        .filter(isWhole)
        .flatMap(({ name, query = {} }) => Object.entries(query).map(([field, value]) => ({ key, name, asks: `${field}=${value}` }))),
    );
    expect(asked.length).toBeGreaterThan(20);
    expect(asked.filter(({ asks }) => !LEAVES_NOTHING_OUT.test(asks))).toEqual([]);
  });

  it('hangs on another list of the same provider, if on any', () => {
    const hanging = PLAIN_PROVIDERS.flatMap(({ key, resources = [] }) =>
      resources.flatMap(({ name, partOf }) =>
        partOf ? [{ key, name, on: partOf.resource, lists: resources.map((each) => each.name) }] : [],
      ),
    );
    expect(hanging.map(({ key }) => key).sort()).toEqual(expect.arrayContaining(['github', 'todoist']));
    for (const { key, name, on, lists } of hanging) expect([key, name, lists]).toEqual([key, name, expect.arrayContaining([on])]);
  });

  it('is not read in the order of the last change, in which what changes meanwhile is missed, where it is declared to be whole', () => {
    const inThatOrder = PLAIN_PROVIDERS.flatMap(({ key, resources = [] }) =>
      resources
        .filter((resource) => isWhole(resource) && resource.page.by === 'cursor')
        .filter(({ query, body }) => /\b(order_?by|sort)\W+\w*(updated|modified|activity)/i.test(JSON.stringify([query, body])))
        .map(({ name }) => [key, name]),
    );
    expect(inThatOrder).toEqual([]);
  });

  it('tells by its events what is gone, where its list never does', () => {
    const untold = PLAIN_PROVIDERS.flatMap(({ key, webhooks, resources = [] }) =>
      resources
        .filter((resource) => !isWhole(resource) && webhooks?.records?.some((each) => each.resource === resource.name))
        .filter(({ name }) => !webhooks?.records?.some(({ resource, gone = [] }) => resource === name && gone.length > 0))
        .map(({ name }) => [key, name]),
    );
    expect(untold).toEqual([]);
  });

  it('is whole only with scopes that its provider knows, and says what it leaves out otherwise', () => {
    const scoped = PLAIN_PROVIDERS.flatMap(({ key, oauth2, resources = [] }) =>
      resources.flatMap(({ name, extent }) =>
        extent !== 'whole' && 'wholeWith' in extent ? [{ key, name, known: oauth2?.scopes, ...extent }] : [],
      ),
    );
    expect(scoped.map(({ key }) => key)).toEqual(expect.arrayContaining(['github', 'spotify', 'vimeo']));
    for (const { key, name, known, wholeWith, otherwise } of scoped)
      expect([key, name, known, otherwise]).toEqual([
        key,
        name,
        expect.arrayContaining([...wholeWith]),
        expect.stringMatching(/^[A-Z].+ (are|may be) left out\.$/),
      ]);
  });

  it.each([
    ['digitalocean', 'droplets'],
    ['procore', 'companies'],
    ['vercel', 'projects'],
    ['zoom', 'meetings'],
    ['todoist', 'tasks'],
    ['freshdesk', 'tickets'],
    ['dailymotion', 'videos'],
    ['notion', 'users'],
  ])('is not whole where the reference of %s says so of %s', (key, name) => {
    const resource = PLAIN_PROVIDERS.find((provider) => provider.key === key)?.resources?.find((each) => each.name === name);
    expect(resource && isWhole(resource)).toBe(false);
  });

  it('of GitHub says by each answer that single sign-on is asked for', () => {
    const github = PLAIN_PROVIDERS.find(({ key }) => key === 'github');
    expect(github?.resources?.map(({ partial }) => partial?.at)).toEqual(['header:x-github-sso', 'header:x-github-sso']);
  });
});

describe('the shape of records', () => {
  it('is declared of every resource, those of events alone too, and is read as JSON Schema that lets other fields pass', async () => {
    interface View {
      provider: string;
      name: string;
      schema: { type: string; required: string[]; additionalProperties?: boolean } | null;
    }
    const { body } = await browser.api<{ data: View[] }>('GET', '/v1/resources');
    const declared = providers().flatMap(({ key, sync }) =>
      [...(sync?.resources ?? []), ...(sync?.eventOnly ?? [])].map(({ name }) => `${key} ${name}`),
    );
    expect(body.data.map(({ provider, name }) => `${provider} ${name}`).sort()).toEqual(declared.sort());
    expect(declared.length).toBeGreaterThan(80);
    for (const { provider, name, schema } of body.data) {
      expect([provider, name, schema?.type, schema?.additionalProperties]).toEqual([provider, name, 'object', undefined]);
      expect([provider, name, schema?.required.length]).not.toEqual([provider, name, 0]);
    }
    const { body: one } = await browser.api<{ data: View[] }>('GET', '/v1/resources?provider=slack');
    expect(one.data.map(({ name }) => name)).toEqual(['channels', 'users', 'messages']);
    expect((await browser.api('GET', '/v1/resources?provider=nobody')).status).toBe(404);
  });

  it('of GitHub, with its facts, is no more than a page each of data and of code', () => {
    const lines = (file: string) =>
      readFileSync(join(__dirname, '../src/providers/plain', file), 'utf8')
        .trimEnd()
        .split('\n').length;
    expect(lines('github.ts')).toBeLessThanOrEqual(90);
    expect(lines('github.schemas.ts')).toBeLessThanOrEqual(120);
  });
});

describe('a resource of which there is nothing yet', () => {
  it('is an empty list, for every resource that any provider declares, with a place to go on from', async () => {
    let asked = 0;
    for (const { key, sync } of providers()) {
      const names = [...(sync?.resources ?? []).map(({ name }) => name), ...(sync?.eventOnly ?? []).map(({ name }) => name)];
      if (names.length === 0) continue;
      const id = await connection(key);
      for (const name of names) {
        const { status, body } = await browser.api<{ data: unknown[]; nextCursor: string }>('GET', `/v1/connections/${id}/records/${name}`);
        expect([key, name, status, body]).toEqual([key, name, 200, { data: [], hasMore: false, nextCursor: expect.any(String) as string }]);
        const again = await browser.api('GET', `/v1/connections/${id}/records/${name}?cursor=${body.nextCursor}`);
        expect([key, name, again.status]).toEqual([key, name, 200]);
        asked++;
      }
    }
    expect(asked).toBeGreaterThan(60);
    const slack = await connection('slack');
    expect(await browser.api('GET', `/v1/connections/${slack}/records/nothing`)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });

  it('is empty too where its permission was not given, which the connection says', async () => {
    let lacking = 0;
    for (const { key, oauth2, sync } of providers())
      for (const { name, scopes = [] } of sync?.resources ?? []) {
        const asked = scopes.filter((scope) => oauth2?.scopes.includes(scope));
        if (asked.length === 0) continue;
        const id = await connection(key, ['of-something-else']);
        expect(await browser.api('GET', `/v1/connections/${id}/records/${name}`)).toMatchObject({ status: 200, body: { data: [] } });
        const { body } = await browser.api<{ missingScopes: string[] }>('GET', `/v1/connections/${id}`);
        expect([key, name, body.missingScopes]).toEqual([key, name, expect.arrayContaining(asked)]);
        lacking++;
      }
    expect(lacking).toBeGreaterThanOrEqual(5);
  });
});
