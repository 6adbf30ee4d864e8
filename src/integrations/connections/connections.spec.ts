import { Browser, connectFixture, type ConnectFixture } from '../connect/testing/connect-fixture';

describe('Connections', () => {
  let fixture: ConnectFixture;
  beforeAll(async () => {
    fixture = await connectFixture();
  });
  afterAll(() => fixture.close());
  beforeEach(() => fixture.clear());

  it('refuses what it does not know', async () => {
    expect((await fixture.call('POST', '/v1/connect-sessions', { provider: 'nobody' })).body).toMatchObject({
      status: 404,
      code: 'provider_unknown',
    });
    expect((await fixture.call('POST', '/v1/connect-sessions', { provider: 'pay' })).body).toMatchObject({
      status: 422,
      code: 'not_supported',
    });
    expect((await fixture.call('POST', '/v1/connect-sessions', { provider: 'chat', tenant: 'other' })).body).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
    expect((await fixture.call('POST', '/v1/connect-sessions', { provider: 'chat', scopes: ['a b'] })).status).toBe(400);
    expect((await fetch(`${fixture.app.url}/v1/connect-sessions`, { method: 'POST' })).status).toBe(401);
    expect((await new Browser().get(`${fixture.app.url}/connect/nobody`)).status).toBe(404);
  });

  it('makes one connection good again when the same account connects anew, and keeps its id', async () => {
    const first = (await fixture.connect('mail', 'again@acme.test')).searchParams.get('connection');
    await fixture.call('DELETE', `/v1/connections/${first}`);
    const second = (await fixture.connect('mail', 'again@acme.test')).searchParams.get('connection');
    expect(second).toBe(first);
    expect((await fixture.call('GET', `/v1/connections/${first}`)).body).toMatchObject({ status: 'connected', error: null });
  });

  it('refuses another account in place of the one to reconnect, and leaves it as it was', async () => {
    const id = (await fixture.connect('mail', 'right@acme.test')).searchParams.get('connection') as string;
    expect((await fixture.connect('mail', 'wrong@acme.test', { connectionId: id })).searchParams.get('error')).toBe('account_mismatch');
    expect((await fixture.connect('mail', 'right@acme.test', { connectionId: id })).searchParams.get('connection')).toBe(id);
    const { body } = await fixture.call('GET', '/v1/connections?provider=mail', undefined, fixture.tokens.admin);
    expect(JSON.stringify(body)).not.toContain('wrong@acme.test');
  });

  it("answers another tenant's id like a missing one", async () => {
    const id = (await fixture.connect('mail', 'mine@acme.test')).searchParams.get('connection') as string;
    const missing = await fixture.call('GET', '/v1/connections/00000000-0000-7000-8000-000000000000', undefined, fixture.tokens.other);
    for (const [method, path, body] of [
      ['GET', `/v1/connections/${id}`],
      ['DELETE', `/v1/connections/${id}`],
      ['POST', '/v1/connect-sessions', { provider: 'mail', connectionId: id }],
    ] as const) {
      const answer = await fixture.call(method, path, body, fixture.tokens.other);
      expect({ ...answer.body, requestId: '' }).toEqual({ ...missing.body, requestId: '' });
    }
    expect((await fixture.call('GET', '/v1/connections', undefined, fixture.tokens.other)).body).toEqual({ data: [], nextCursor: null });
    expect((await fixture.call('GET', `/v1/connections/${id}`, undefined, fixture.tokens.admin)).status).toBe(200);
    expect((await fixture.call('GET', `/v1/connections/${id}`)).body).toMatchObject({ connected: true });
  });

  it('lists page by page', async () => {
    for (const name of ['a', 'b', 'c']) await fixture.connect('mail', `${name}@list.test`);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await fixture.call(
        'GET',
        `/v1/connections?limit=2${cursor ? `&cursor=${cursor}` : ''}`,
        undefined,
        fixture.tokens.admin,
      );
      seen.push(...idsIn(body));
      cursor = body['nextCursor'] as string | null;
    } while (cursor);
    const all = idsIn((await fixture.call('GET', '/v1/connections', undefined, fixture.tokens.admin)).body);
    expect(seen).toEqual(all);
    expect(all.length).toBeGreaterThanOrEqual(3);
    expect((await fixture.call('GET', '/v1/connections?cursor=nonsense')).body).toMatchObject({ status: 400, code: 'invalid_cursor' });
  });

  it('tells what providers there are', async () => {
    const { body } = await fixture.call('GET', '/v1/providers');
    expect(body['data']).toEqual(
      expect.arrayContaining([
        {
          key: 'chat',
          name: 'chat',
          authType: 'oauth2',
          configured: true,
          scopes: ['chat:write', 'channels:read'],
          capabilities: { sync: false, webhooks: false, actions: false },
        },
        {
          key: 'pay',
          name: 'pay',
          authType: 'api_key',
          apiKey: { help: 'Make a restricted key in the dashboard.' },
          configured: true,
          scopes: [],
          capabilities: { sync: false, webhooks: false, actions: false },
        },
      ]),
    );
    const secrets = Object.values(fixture.app.settings.providers).flatMap(({ clientSecret }) => clientSecret ?? []);
    for (const secret of secrets) expect(JSON.stringify(body)).not.toContain(secret);
  });

  it('connects with a key after one real call, and refuses one that the provider does not take', async () => {
    const key = String(fixture.sandbox.control.change('stripe', 'keys')['key']);
    const { status, body } = await fixture.call('POST', '/v1/connections', { provider: 'pay', apiKey: ` ${key}\n` });
    expect(status).toBe(201);
    expect(body).toMatchObject({ provider: 'pay', connected: true });
    expect(JSON.stringify(body)).not.toContain(key);
    expect(fixture.sandbox.control.ledger({ kind: 'request', endpoint: 'account.retrieve' })).toHaveLength(1);
    expect(await fixture.everything()).not.toContain(key);

    expect((await fixture.call('POST', '/v1/connections', { provider: 'pay', apiKey: 'rk_test_wrong' })).body).toMatchObject({
      status: 422,
      code: 'credentials_rejected',
    });
    fixture.sandbox.control.clearLedger();
    expect((await fixture.call('POST', '/v1/connections', { provider: 'pay', apiKey: 'sk_live_pasted_by_mistake' })).body).toMatchObject({
      status: 422,
      nextStep: 'Make a restricted key in the dashboard.',
    });
    expect(fixture.sandbox.control.ledger({ kind: 'request' })).toHaveLength(0);
    expect((await fixture.call('POST', '/v1/connections', { provider: 'chat', apiKey: 'x' })).body).toMatchObject({
      status: 422,
      code: 'not_supported',
    });
  });

  it('disconnects: revoked at the provider, secrets gone, and a second time harmless', async () => {
    const id = (await fixture.connect('mail', 'bye@acme.test')).searchParams.get('connection');
    expect(await fixture.call('DELETE', `/v1/connections/${id}`)).toEqual({ status: 200, body: { revoked: true } });
    expect(await fixture.dataSource.query('SELECT 1 FROM tokens WHERE connection_id = $1', [id])).toEqual([]);
    expect((await fixture.call('GET', `/v1/connections/${id}`)).body).toMatchObject({ status: 'disconnected', connected: false });
    expect(await fixture.call('DELETE', `/v1/connections/${id}`)).toEqual({ status: 200, body: { revoked: false } });
    expect(fixture.sandbox.control.ledger({ kind: 'request', endpoint: 'oauth.revoke' })).toHaveLength(1);
  });

  it('destroys the secrets also where the provider cannot be reached', async () => {
    const id = (await fixture.connect('mail', 'down@acme.test')).searchParams.get('connection');
    fixture.sandbox.control.addFault({ kind: 'reset', endpoint: 'oauth.revoke' });
    expect(await fixture.call('DELETE', `/v1/connections/${id}`)).toEqual({ status: 200, body: { revoked: false } });
    expect(await fixture.dataSource.query('SELECT 1 FROM tokens WHERE connection_id = $1', [id])).toEqual([]);
  });
});

function idsIn(body: Record<string, unknown>): string[] {
  return (body['data'] as { id: string }[]).map(({ id }) => id);
}
