import { createHmac } from 'node:crypto';
import { DataSource } from 'typeorm';
import { PLAIN_PROVIDERS } from '../src/providers';
import { PlainSandbox } from '../sandbox/plain/plain-sandbox';
import { Browser } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

describe('what a declaration says of its deliveries', () => {
  let app: TestApp;
  let sandbox: PlainSandbox;
  let browser: Browser;
  beforeAll(async () => {
    sandbox = await PlainSandbox.start(PLAIN_PROVIDERS);
    app = await startTestApp({ settings: sandbox.env() });
    browser = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'ada' }));
  });
  afterAll(async () => {
    await app.close();
    await sandbox.stop();
  });

  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(`${app.url}/webhooks/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
  const hmac = (key: string, text: string) => createHmac('sha256', `${key}-webhook-secret`).update(text).digest('hex');
  const issue = { id: 'issue-9', title: 'New', updated_at: '2026-11-01T10:00:00Z' };
  const github = (action: string, more: object, id: string) => {
    const body = { action, issue: { ...issue, ...more }, repository: { id: 1, owner: { id: 'acct-1' } } };
    const signed = { 'x-hub-signature-256': `sha256=${hmac('github', JSON.stringify(body))}` };
    return { body, headers: { 'x-github-event': 'issues', 'x-github-delivery': id, ...signed } };
  };

  it('stores the object of an event as a record, and takes it away again', async () => {
    const connection = (await browser.connect('github')).searchParams.get('connection') ?? '';
    await browser.synced(connection, ({ trigger }) => trigger === 'connect');
    const opened = github('opened', {}, 'd1');
    expect((await post('github', opened.body, opened.headers)).status).toBe(200);
    await browser.eventually(async () => ((await browser.records(connection, 'issues')).ids.includes('issue-9') ? true : undefined));
    const deleted = github('deleted', { updated_at: '2026-11-01T11:00:00Z' }, 'd2');
    expect((await post('github', deleted.body, deleted.headers)).status).toBe(200);
    await browser.eventually(async () => ((await browser.records(connection, 'issues')).ids.includes('issue-9') ? undefined : true));
  });

  it('takes what hangs on an object away with it, of which nothing more is told, and what is another object from then on', async () => {
    const connection = (await browser.connect('github')).searchParams.get('connection') ?? '';
    await browser.synced(connection, ({ trigger }) => trigger === 'connect');
    const { ids } = await browser.records(connection, 'repositories');
    expect(ids.length).toBeGreaterThan(0);
    const tell = async (event: string, body: object, id: string) => {
      const signed = { 'x-hub-signature-256': `sha256=${hmac('github', JSON.stringify(body))}` };
      expect((await post('github', body, { 'x-github-event': event, 'x-github-delivery': id, ...signed })).status).toBe(200);
    };
    const repository = { id: ids[0], owner: { id: 'acct-1' } };
    const living = async () => (await browser.records(connection, 'issues')).ids.filter((id) => id.startsWith('hung'));
    for (const n of [1, 2, 3]) await tell('issues', { action: 'opened', issue: { ...issue, id: `hung-${n}` }, repository }, `h${n}`);
    await browser.eventually(async () => ((await living()).length === 3 ? true : undefined));
    const moved = { ...issue, id: 'hung-1', updated_at: '2026-11-01T12:00:00Z' };
    await tell('issues', { action: 'transferred', issue: moved, repository }, 'h4');
    await browser.eventually(async () => ((await living()).length === 2 ? true : undefined));
    await tell('repository', { action: 'deleted', repository: { ...repository, updated_at: '2027-11-01T12:00:00Z' } }, 'h5');
    await browser.eventually(async () => ((await living()).length === 0 ? true : undefined));
  });

  it('has a run look where two events of one object say the same time, and believes a deletion', async () => {
    const connection = (await browser.connect('github')).searchParams.get('connection') ?? '';
    await browser.synced(connection, ({ trigger }) => trigger === 'connect');
    const tell = async (action: string, more: object, id: string) => {
      const { body, headers } = github(action, more, id);
      expect((await post('github', body, headers)).status).toBe(200);
    };
    const at = { id: 'tied', updated_at: '2026-11-02T10:00:00Z' };
    await tell('opened', { ...at, title: 'first' }, 't9');
    await browser.eventually(async () => ((await browser.records(connection, 'issues')).ids.includes('tied') ? true : undefined));
    // By its id it would be the older one.
    await tell('edited', { ...at, title: 'second' }, 't1');
    await browser.synced(connection, ({ trigger }) => trigger === 'webhook');
    await tell('deleted', at, 't0');
    await browser.eventually(async () => ((await browser.records(connection, 'issues')).ids.includes('tied') ? undefined : true));
  });

  it('takes a meeting away that is deleted, and not for one of its occurrences', async () => {
    const connection = (await browser.connect('zoom')).searchParams.get('connection') ?? '';
    await browser.synced(connection, ({ trigger }) => trigger === 'connect');
    const before = (await browser.records(connection, 'meetings')).ids;
    const { routing_key: account } = (
      await app.app.get(DataSource).query<{ routing_key: string }[]>('SELECT routing_key FROM connections WHERE id = $1', [connection])
    )[0]!;
    const tell = async (id: string | undefined, operation: string) => {
      const body = { event: 'meeting.deleted', event_ts: Date.now(), payload: { account_id: account, operation, object: { id } } };
      const time = String(Math.floor(Date.now() / 1000));
      const signature = { 'x-zm-signature': `v0=${hmac('zoom', `v0:${time}:${JSON.stringify(body)}`)}`, 'x-zm-request-timestamp': time };
      expect((await post('zoom', body, signature)).status).toBe(200);
    };
    await tell(before[0], 'single');
    await browser.synced(connection, ({ trigger }) => trigger === 'webhook');
    await tell(before[1], 'all');
    await browser.eventually(async () => ((await browser.records(connection, 'meetings')).ids.includes(before[1]!) ? undefined : true));
    expect((await browser.records(connection, 'meetings')).ids.sort()).toEqual(before.filter((id) => id !== before[1]).sort());
  });

  it('refuses what is forged, and a GET that asks nothing', async () => {
    const { body, headers } = github('opened', {}, 'd3');
    expect((await post('github', { ...body, action: 'closed' }, headers)).status).toBe(401);
    expect((await post('github', body)).status).toBe(401);
    expect((await fetch(`${app.url}/webhooks/github`)).status).toBe(404);
  });

  it('answers a challenge by GET only to who knows the token', async () => {
    const ask = (token: string) => fetch(`${app.url}/webhooks/facebook?hub.mode=subscribe&hub.challenge=123&hub.verify_token=${token}`);
    const known = await ask('facebook-webhook-secret');
    expect([known.status, await known.text()]).toEqual([200, '123']);
    expect((await ask('other')).status).toBe(404);
    expect(await (await fetch(`${app.url}/webhooks/dropbox?challenge=abc`)).text()).toBe('abc');
  });

  it('shows the operator, and nobody else, a secret that came unsigned, and verifies nothing with it', async () => {
    const secret = 'secret_of_an_app_0123456789abcdef';
    const event = { id: 'n1', type: 'page.created', workspace_id: 'acct-1', entity: { id: 'page-1', type: 'page' } };
    const signed = { 'x-notion-signature': `sha256=${createHmac('sha256', secret).update(JSON.stringify(event)).digest('hex')}` };
    const seen = async (role: 'admin' | 'operator') =>
      browser.api<{ toldSecrets?: { secret: string }[] }>('GET', '/v1/admin/providers/notion/setup', undefined, {
        token: await app.tokenFor({ tenant: 'acme', user: 'root', role }),
      });
    expect((await post('notion', { verification_token: secret })).status).toBe(200);
    expect((await post('notion', event, signed)).status).toBe(401);
    expect((await post('notion', { verification_token: secret, type: 'page.created' })).status).toBe(401);
    expect((await post('notion', { verification_token: 'short' })).status).toBe(401);
    expect((await post('github', { verification_token: secret })).status).toBe(401);
    expect((await seen('admin')).status).toBe(403);
    expect((await seen('operator')).body.toldSecrets).toMatchObject([{ secret }]);
    for (let n = 0; n < 30; n++) await post('notion', { verification_token: `secret_of_a_stranger_${n}` });
    expect((await seen('operator')).body.toldSecrets).toHaveLength(10);
  });

  it('answers a challenge by POST, signs only what is signed and a word', async () => {
    const smartsheet = await post('smartsheet', {}, { 'smartsheet-hook-challenge': 'abc' });
    expect(await smartsheet.json()).toEqual({ smartsheetHookResponse: 'abc' });
    const zoom = (plainToken: string, signed = true) => {
      const body = { event: 'endpoint.url_validation', payload: { plainToken } };
      const time = String(Math.floor(Date.now() / 1000));
      const signature: Record<string, string> = signed
        ? { 'x-zm-signature': `v0=${hmac('zoom', `v0:${time}:${JSON.stringify(body)}`)}` }
        : {};
      return post('zoom', body, { 'x-zm-request-timestamp': time, ...signature });
    };
    expect(await (await zoom('abc')).json()).toEqual({ plainToken: 'abc', encryptedToken: hmac('zoom', 'abc') });
    expect((await zoom('abc', false)).status).toBe(401);
    expect(await (await zoom('v0:1:{"event":"x"}')).text()).not.toContain('encryptedToken');
  });
});
