import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { ProviderRegistry } from '../src/integrations';
import { ConnectionSeals } from '../src/integrations/connections';
import { Browser } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

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

describe('a resource of which there is nothing yet', () => {
  it('is an empty list, for every resource that any provider declares, with a place to go on from', async () => {
    let asked = 0;
    for (const { key, sync } of providers()) {
      const names = [...(sync?.resources ?? []).map(({ name }) => name), ...(sync?.eventOnly ?? [])];
      if (names.length === 0) continue;
      const id = await connection(key);
      for (const name of names) {
        const { status, body } = await browser.api<{ data: unknown[]; nextCursor: string }>('GET', `/v1/connections/${id}/records/${name}`);
        expect([key, name, status, body]).toEqual([key, name, 200, { data: [], nextCursor: expect.any(String) as string }]);
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
