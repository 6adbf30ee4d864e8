import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import createClient, { type Client } from 'openapi-fetch';
import { Browser } from './support/browser';
import type { paths } from './support/api-types';
import { startTestApp, type TestApp } from './support/test-app';

const DESCRIPTION = JSON.parse(readFileSync(join(__dirname, '../docs/openapi.json'), 'utf8')) as {
  paths: Record<string, Record<string, { responses: Record<string, unknown>; parameters?: { name: string; in: string }[] }>>;
};

/** The types come of the description: what it does not say does not compile here. */
describe('a client that is generated from the description', () => {
  let app: TestApp;
  let user: Client<paths>;
  let admin: Client<paths>;
  let operator: Client<paths>;
  let browser: Browser;
  let connection: string;

  beforeAll(async () => {
    app = await startTestApp();
    const token = await app.tokenFor({ tenant: 'acme', user: 'ada' });
    const clientOf = (bearer: string) => createClient<paths>({ baseUrl: app.url, headers: { authorization: `Bearer ${bearer}` } });
    user = clientOf(token);
    admin = clientOf(await app.tokenFor({ tenant: 'acme', user: 'root', role: 'admin' }));
    operator = clientOf(await app.tokenFor({ tenant: 'acme', user: 'root', role: 'operator' }));
    browser = new Browser(app, token);
  });
  afterAll(() => app.close());

  it('connects, acts, syncs and reads the feed', async () => {
    const landed = await browser.connect('slack');
    connection = landed.searchParams.get('connection') ?? '';
    const path = { id: connection };
    const one = await user.GET('/v1/connections/{id}', { params: { path } });
    expect(one.data).toMatchObject({ provider: 'slack', status: 'connected' });

    const sent = await user.POST('/v1/connections/{id}/slack/messages', { params: { path }, body: { channel: 'general', text: 'Hello' } });
    expect([sent.response.status, typeof sent.data?.ts]).toEqual([201, 'string']);
    const refused = await user.POST('/v1/connections/{id}/slack/messages', { params: { path }, body: { channel: 'general' } });
    expect(refused.error).toMatchObject({ status: 400, code: 'invalid_request' });

    const run = await user.POST('/v1/connections/{id}/syncs', { params: { path }, body: { type: 'full' } });
    await browser.synced(connection, ({ id }) => id === run.data?.id);
    const feed = await user.GET('/v1/connections/{id}/records/{resource}', {
      params: { path: { ...path, resource: 'channels' }, query: { limit: 2 } },
    });
    expect(feed.data?.data).toHaveLength(2);
    expect(feed.data?.nextCursor).toEqual(expect.any(String));
  });

  it('reads every route, and each answers with a status that is described', async () => {
    await app.sandbox.control.deliver({ provider: 'slack', type: 'message' });
    const url = 'https://product.example/hooks';
    const made = await admin.POST('/v1/admin/destinations', { body: { name: 'product', url, events: ['connection.connected'] } });
    const events = await admin.GET('/v1/admin/webhook-events', { params: { query: { limit: 1 } } });
    const google = (await browser.connect('google')).searchParams.get('connection') ?? '';
    const ids: Record<string, string | undefined> = {
      '/v1/admin/destinations/': made.data?.id,
      '/v1/admin/webhook-events/': events.data?.data[0]?.id,
      '/v1/connections/{id}/google/': google,
      '/v1/connections/': connection,
    };
    const values = { provider: 'slack', resource: 'channels', calendarId: 'primary', sub: 'ada', tenant: 'acme' };
    const reads = Object.entries(DESCRIPTION.paths).flatMap(([path, { get }]) => (get ? [{ path, responses: get.responses }] : []));
    expect(reads.length).toBeGreaterThan(25);
    for (const { path, responses } of reads) {
      const [, id = ''] = Object.entries(ids).find(([prefix]) => path.startsWith(prefix)) ?? [];
      const ofOperators = path === '/metrics' || path.startsWith('/v1/admin/tenants/');
      const client = ofOperators ? operator : path.startsWith('/v1/admin/') ? admin : user;
      // The list is the description's own, so its paths are known at run time only.
      const get = client.GET as unknown as (path: string, init: object) => Promise<{ response: Response }>;
      const { response } = await get(path, { params: { path: { ...values, id } }, parseAs: 'stream' });
      if (!response.bodyUsed) await response.body?.cancel();
      expect([path, Object.keys(responses)]).toEqual([path, expect.arrayContaining([String(response.status)])]);
      // Nothing was delivered yet, and a webhook's address answers a GET only where a provider asks with one.
      const absent = ['/v1/admin/deliveries/{id}', '/webhooks/{provider}'].includes(path);
      expect([path, response.status]).toEqual([path, absent ? 404 : 200]);
    }
  });
});
