import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { SETTINGS } from '../src/config/config.module';
import type { Settings } from '../src/config/env';
import type { PlainProvider } from '../src/integrations';
import { SecretBox, UNUSED_CLIENT } from '../src/integrations/connections';
import { clientSecretBinding } from '../src/integrations/connections/clients/encrypted-table';
import { KeyRotationService } from '../src/integrations/keys/key-rotation.service';
import { PLAIN_PROVIDERS } from '../src/providers';
import { PlainSandbox } from '../sandbox/plain/plain-sandbox';
import { Browser } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

/** With a client's id in calls (Twitch), with ends of grants as the app, by refresh tokens. The operator has no client at any of them. */
const KEYS = ['twitch', 'linear', 'github'];
const CHOSEN = PLAIN_PROVIDERS.filter(({ key }) => KEYS.includes(key));
const renewing = CHOSEN.filter(({ oauth2 }) => oauth2?.refresh).map(({ key }) => key);
const [renewed = ''] = renewing;

interface Client {
  clientId: string;
  setBy: string;
}
interface Listed {
  data: { key: string; configured: boolean }[];
}

describe("an organization's own client at a provider", () => {
  let app: TestApp;
  let sandbox: PlainSandbox;
  let acme: Browser;
  let acmeAdmin: Browser;
  let other: Browser;
  let otherAdmin: Browser;
  const seen: string[] = [];

  beforeAll(async () => {
    sandbox = await PlainSandbox.start(CHOSEN);
    const isClient = ([name]: [string, string]) => /_CLIENT_(ID|SECRET)$/.test(name);
    const operator = { LINEAR_CLIENT_ID: 'the-operators', LINEAR_CLIENT_SECRET: 'the-operators-secret' };
    const env = Object.fromEntries(Object.entries(sandbox.env()).filter((entry) => !isClient(entry)));
    app = await startTestApp({ settings: { ...env, ...operator, REQUESTS_PER_SECOND: '10000', WORKERS: 'false' } });
    const browser = async (tenant: string, role?: 'admin') =>
      new Browser(app, await app.tokenFor({ tenant, user: role ?? 'ada', ...(role && { role }) }), seen);
    [acme, acmeAdmin, other, otherAdmin] = await Promise.all([
      browser('acme'),
      browser('acme', 'admin'),
      browser('umbrella'),
      browser('umbrella', 'admin'),
    ]);
  });
  afterAll(async () => {
    await app.close();
    await sandbox.stop();
  });

  const own = (key: string) => ({ clientId: sandbox.world(key).clientId, clientSecret: sandbox.world(key).clientSecret });
  const set = (key: string, client: object = own(key), by = acmeAdmin) =>
    by.api<Client & { code?: string; detail?: string }>('PUT', `/v1/admin/providers/${key}/client`, client);
  const end = (key: string) => acmeAdmin.api('DELETE', `/v1/admin/providers/${key}/client`);
  const isConfigured = async (by: Browser, key: string) =>
    (await by.api<Listed>('GET', '/v1/providers')).body.data.find((each) => each.key === key)?.configured;
  const begin = (by: Browser, provider: string) =>
    by.api<{ code?: string }>('POST', '/v1/connect-sessions', { provider, returnTo: `${app.url}/landed` });
  const call = (id: string) => acme.api<{ code?: string }>('GET', `/v1/connections/${id}/proxy/things`);
  const last = (key: string, what: string) => sandbox.requests.filter((each) => each.provider === key && each.what === what).at(-1);
  const rows = <Row extends object>(sql: string, params: unknown[] = []) => app.app.get(DataSource).query<Row[]>(sql, params);

  async function connect(key: string): Promise<string> {
    const landed = await acme.connect(key);
    expect(landed.searchParams.toString()).toContain(`success=${key}`);
    return landed.searchParams.get('connection') ?? '';
  }

  it.each(KEYS)('connects, calls, renews and ends with it: %s', async (key) => {
    const { oauth2 } = CHOSEN.find((each) => each.key === key) as PlainProvider;
    const answer = await set(key);
    expect(answer).toMatchObject({ status: 200, body: { provider: key, clientId: own(key).clientId, setBy: 'admin' } });
    const id = await connect(key);
    expect((await call(id)).status).toBe(200);
    if (oauth2?.refresh) {
      sandbox.expireTokens(key);
      expect((await call(id)).status).toBe(200);
      expect(last(key, 'token')).toMatchObject({ status: 200, grantType: 'refresh_token' });
    }
    const { body } = await acme.api<{ revoked: boolean }>('DELETE', `/v1/connections/${id}`);
    expect(body.revoked).toBe(oauth2?.revokeUrl !== undefined);
    if (oauth2?.revokeUrl) expect(last(key, 'revoke')).toMatchObject({ status: 200 });
    expect((await end(key)).status).toBe(204);
  });

  it("is that organization's alone", async () => {
    await set('twitch');
    expect(await isConfigured(acme, 'twitch')).toBe(true);
    expect(await isConfigured(other, 'twitch')).toBe(false);
    expect((await begin(other, 'twitch')).body.code).toBe('provider_not_configured');
    expect((await otherAdmin.api('GET', '/v1/admin/providers/twitch/client')).status).toBe(404);
    expect((await otherAdmin.api('DELETE', '/v1/admin/providers/twitch/client')).status).toBe(404);
    expect((await acme.api('GET', '/v1/admin/providers/twitch/client')).status).toBe(403);
    expect((await set('twitch', own('twitch'), acme)).status).toBe(403);
    expect((await acmeAdmin.api<Client>('GET', '/v1/admin/providers/twitch/client')).body.clientId).toBe('twitch-client');
    // Moved to another organization in the database, the secret does not open.
    await rows(`INSERT INTO oauth_clients SELECT gen_random_uuid(), 'umbrella', provider, client_id, secret, set_by, set_at, ended_at
      FROM oauth_clients WHERE tenant = 'acme' AND provider = 'twitch'`);
    expect((await begin(other, 'twitch')).body.code).toBe('decryption_failed');
    await rows(`DELETE FROM oauth_clients WHERE tenant = 'umbrella'`);
    await end('twitch');
    expect(await isConfigured(acme, 'twitch')).toBe(false);
    expect((await begin(acme, 'twitch')).body.code).toBe('provider_not_configured');
  });

  it('stays with what was connected with it, when another takes its place or it ends', async () => {
    await set(renewed);
    const id = await connect(renewed);
    await set(renewed, { clientId: 'another', clientSecret: 'another-secret' });
    sandbox.expireTokens(renewed);
    expect((await call(id)).status).toBe(200);
    await end(renewed);
    sandbox.expireTokens(renewed);
    expect((await call(id)).status).toBe(200);
    expect(last(renewed, 'token')).toMatchObject({ status: 200, grantType: 'refresh_token' });
    const kept = () => rows<{ client_id: string }>(`SELECT client_id FROM oauth_clients WHERE provider = $1`, [renewed]);
    expect(await kept()).toEqual([{ client_id: own(renewed).clientId }]);
    await acme.api('DELETE', `/v1/connections/${id}`);
    await rows(`UPDATE connections SET updated_at = updated_at - interval '1 hour' WHERE id = $1`, [id]);
    await rows(`DELETE FROM oauth_clients WHERE ${UNUSED_CLIENT}`);
    expect(await kept()).toEqual([]);
  });

  it('goes on with the client with which a connect began, or not at all', async () => {
    await set('twitch');
    const { body } = await acme.api<{ connectUrl: string }>('POST', '/v1/connect-sessions', {
      provider: 'twitch',
      returnTo: `${app.url}/landed`,
    });
    await set('twitch', { clientId: 'another', clientSecret: 'another-secret' });
    const page = await fetch(body.connectUrl, { redirect: 'manual' });
    expect(page.status).toBe(409);
    await end('twitch');
  });

  it('moves to the new key with all other secrets', async () => {
    await set('twitch');
    const dataSource = app.app.get(DataSource);
    const keys = app.app.get<Settings>(SETTINGS).encryptionKeys;
    const fresh = { id: 'fresh', key: randomBytes(32) };
    const only = new SecretBox([fresh]);
    await new KeyRotationService(dataSource, new SecretBox([fresh, ...keys])).rotate();
    const [row] = await rows<{ secret: string }>(`SELECT secret FROM oauth_clients WHERE provider = 'twitch'`);
    expect(only.decrypt(row?.secret ?? '', clientSecretBinding({ tenant: 'acme', provider: 'twitch', clientId: 'twitch-client' }))).toBe(
      own('twitch').clientSecret,
    );
    await new KeyRotationService(dataSource, new SecretBox([...keys, fresh])).rotate();
    expect((await begin(acme, 'twitch')).status).toBe(201);
    await end('twitch');
  });

  it('says what it does not take', async () => {
    expect((await set('slack', own('twitch'))).body).toMatchObject({ code: 'not_supported' });
    expect((await set('nobody', own('twitch'))).body).toMatchObject({ code: 'provider_unknown' });
    expect((await set('linear', { clientId: 'the-operators', clientSecret: 'x' })).body).toMatchObject({ code: 'invalid_request' });
    expect((await set('linear', { clientId: 'a b', clientSecret: 'x' })).body).toMatchObject({ code: 'invalid_request' });
    expect((await set('linear', { clientId: 'ab' })).body).toMatchObject({ code: 'invalid_request' });
  });

  it('is recorded, and its secret is nowhere to be seen', async () => {
    await set('twitch');
    await end('twitch');
    const { body } = await acmeAdmin.api<{ data: { action: string; target: string }[] }>('GET', '/v1/admin/audit?limit=10');
    const acts = body.data.map(({ action, target }) => `${action} ${target}`);
    expect(acts.slice(0, 2)).toEqual(['client.end client:twitch:twitch-client', 'client.set client:twitch:twitch-client']);
    const secrets = KEYS.map((key) => own(key).clientSecret);
    for (const text of seen) for (const secret of secrets) expect(text).not.toContain(secret);
    const stored = await rows<{ text: string }>('SELECT oauth_clients::text AS text FROM oauth_clients');
    for (const { text } of stored) for (const secret of secrets) expect(text).not.toContain(secret);
  });
});
