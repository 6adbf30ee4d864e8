import { Browser, connectFixture, RETURN_TO, type Answer, type ConnectFixture } from '../connect/testing/connect-fixture';
import { IntegrationEvents } from '../integration-events';

describe('A connection of an organization', () => {
  let fixture: ConnectFixture;
  let tokens: Record<'admin' | 'bob' | 'eve' | 'support' | 'operator' | 'elsewhere', string>;
  let accounts = 0;

  beforeAll(async () => {
    fixture = await connectFixture();
    const token = (tenant: string, user: string, role?: 'support' | 'admin' | 'operator') =>
      fixture.app.tokenFor({ tenant, user, ...(role && { role }) });
    tokens = {
      admin: fixture.tokens.admin,
      bob: await token('acme', 'bob'),
      eve: await token('other', 'bob'),
      support: await token('acme', 'sue', 'support'),
      operator: await token('operations', 'olga', 'operator'),
      elsewhere: await token('other', 'boss', 'admin'),
    };
  });
  afterAll(() => fixture.close());
  beforeEach(() => fixture.clear());

  const rows = (sql: string, ...params: unknown[]) => fixture.dataSource.query<Record<string, unknown>[]>(sql, params);
  const call = (who: keyof typeof tokens, method: string, path: string, body?: unknown) => fixture.call(method, path, body, tokens[who]);
  const mail = () => `shared${++accounts}@acme.test`;

  async function finish(answer: Answer, account: string): Promise<URL> {
    expect(answer.status).toBe(201);
    const browser = new Browser();
    const authorizeUrl = (await browser.press(answer.body['connectUrl'] as string)).location;
    return new URL((await browser.get(await fixture.consent(authorizeUrl, account))).location);
  }

  /** @returns the connection's id */
  async function connect(who: keyof typeof tokens, provider: string, account: string, more: Record<string, unknown> = {}): Promise<string> {
    const end = await finish(await call(who, 'POST', '/v1/connect-sessions', { provider, returnTo: RETURN_TO, ...more }), account);
    expect(end.searchParams.get('success')).toBe(provider);
    return end.searchParams.get('connection') as string;
  }
  const organizations = { owner: 'organization' };

  it('is connected by an administrator only', async () => {
    const refused = { status: 403, code: 'forbidden' };
    expect((await call('bob', 'POST', '/v1/connect-sessions', { provider: 'google', ...organizations })).body).toMatchObject(refused);
    const key = { provider: 'stripe', apiKey: 'sk_test_123456789012', ...organizations };
    expect((await call('bob', 'POST', '/v1/connections', key)).body).toMatchObject(refused);
    expect((await call('admin', 'POST', '/v1/connect-sessions', { provider: 'google', policy: { usedBy: 'all' } })).status).toBe(400);
    const contradiction = { ...organizations, policy: { usedBy: 'admins', managedBy: 'all' } };
    expect((await call('admin', 'POST', '/v1/connect-sessions', { provider: 'google', ...contradiction })).status).toBe(400);
  });

  it('says on the page that asks who will work with the account', async () => {
    const page = async (more: object) => {
      const { body } = await call('admin', 'POST', '/v1/connect-sessions', { provider: 'google', ...more });
      return (await new Browser().get(body['connectUrl'] as string)).text;
    };
    expect(await page({})).not.toContain('organization’s');
    expect(await page(organizations)).toContain(
      'The connection will be the organization’s, not yours alone. It stays when you leave. Everybody in the organization can work with the account, its administrators look after it.',
    );
    expect(await page({ ...organizations, policy: { usedBy: 'admins' } })).toContain(
      'The organization’s administrators alone can work with the account',
    );
  });

  it('stands beside a personal one of the same account', async () => {
    const account = mail();
    const own = await connect('admin', 'google', account);
    const shared = await connect('admin', 'google', account, organizations);
    expect(shared).not.toBe(own);
    expect(await connect('admin', 'google', account, organizations)).toBe(shared);
    expect((await call('admin', 'GET', `/v1/connections/${own}`)).body).toMatchObject({ owner: 'user', userId: 'boss', policy: null });
    expect((await call('bob', 'GET', `/v1/connections/${own}`)).status).toBe(404);
  });

  describe('used by all and managed by administrators', () => {
    let id: string;
    beforeAll(async () => {
      id = await connect('admin', 'google', mail(), organizations);
    });

    const doors = (): [method: string, path: string, body?: unknown][] => [
      ['GET', `/v1/connections/${id}`],
      ['GET', `/v1/connections/${id}/syncs`],
      ['POST', `/v1/connections/${id}/syncs`, { type: 'incremental' }],
      ['GET', `/v1/connections/${id}/records/calendars`],
      ['GET', `/v1/connections/${id}/operations`],
      ['POST', `/v1/connections/${id}/operations/emails.send`, { to: ['a@b.test'], subject: 'Hello', text: 'Hello' }],
      ['GET', `/v1/connections/${id}/proxy/calendar/v3/users/me/calendarList`],
    ];
    const open = (status: number) => status >= 200 && status < 300;

    it('opens its doors to another user of the organization', async () => {
      for (const [method, path, body] of doors())
        expect([path, open((await call('bob', method, path, body)).status)]).toEqual([path, true]);
      const { body } = await call('bob', 'GET', '/v1/connections');
      expect(body['data']).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ id, owner: 'organization', userId: null, policy: { usedBy: 'all', managedBy: 'admins' } }),
        ]),
      );
    });

    it('is not there for another organization, its administrator included', async () => {
      const missing = (await call('eve', 'GET', '/v1/connections/00000000-0000-7000-8000-000000000000')).body;
      for (const who of ['eve', 'elsewhere'] as const) {
        for (const [method, path, body] of [...doors(), ['DELETE', `/v1/connections/${id}`] as const]) {
          const answer = await call(who, method, path, body);
          expect([path, { ...answer.body, requestId: '' }]).toEqual([path, { ...missing, requestId: '' }]);
        }
        const change = await call(who, 'PATCH', `/v1/connections/${id}`, { policy: { usedBy: 'all' } });
        expect(change.status).toBe(404);
        expect((await call(who, 'POST', '/v1/connect-sessions', { provider: 'google', connectionId: id })).status).toBe(404);
        expect(JSON.stringify((await call(who, 'GET', '/v1/connections')).body)).not.toContain(id);
      }
      expect(JSON.stringify((await call('elsewhere', 'GET', '/v1/admin/connections')).body)).not.toContain(id);
    });

    it('is seen, and not used, by support', async () => {
      expect((await call('support', 'GET', `/v1/connections/${id}`)).status).toBe(200);
      for (const [method, path, body] of doors().slice(2))
        expect([path, (await call('support', method, path, body)).status]).toEqual([path, 403]);
      expect((await call('support', 'DELETE', `/v1/connections/${id}`)).status).toBe(403);
    });

    it('is neither ended, mended nor changed by those who only use it', async () => {
      const refused = { status: 403, code: 'forbidden' };
      expect((await call('bob', 'DELETE', `/v1/connections/${id}`)).body).toMatchObject(refused);
      expect((await call('bob', 'DELETE', `/v1/connections/${id}?purge=true`)).body).toMatchObject(refused);
      expect((await call('bob', 'POST', '/v1/connect-sessions', { provider: 'google', connectionId: id })).body).toMatchObject(refused);
      expect((await call('bob', 'PATCH', `/v1/connections/${id}`, { policy: { managedBy: 'all' } })).body).toMatchObject(refused);
      expect((await call('admin', 'GET', `/v1/connections/${id}`)).body).toMatchObject({
        connected: true,
        policy: { managedBy: 'admins' },
      });
    });

    it('is connected anew by an administrator, and by no operator of another organization', async () => {
      const [{ account_id: account, account_name: name }] = (await rows('SELECT * FROM connections WHERE id = $1', id)) as [
        Record<string, string>,
      ];
      expect(account).toBeDefined();
      expect(await connect('admin', 'google', name!, { connectionId: id })).toBe(id);
      expect((await call('admin', 'GET', `/v1/connections/${id}`)).body).toMatchObject({ owner: 'organization' });
      expect((await call('operator', 'POST', '/v1/connect-sessions', { provider: 'google', connectionId: id })).status).toBe(403);
      const chosen = { provider: 'google', connectionId: id, owner: 'user' };
      expect((await call('admin', 'POST', '/v1/connect-sessions', chosen)).status).toBe(400);
    });

    it('records who acted through it, and who of another organization looked', async () => {
      const target = `google.emails.send connection:${id}`;
      expect(await rows(`SELECT DISTINCT actor_user, tenant FROM audit_entries WHERE target = $1`, target)).toEqual([
        { actor_user: 'bob', tenant: 'acme' },
      ]);
      const look = `/v1/connections/${id}/proxy/calendar/v3/users/me/calendarList`;
      const looked = () => rows(`SELECT actor_user FROM audit_entries WHERE action = 'proxy.call' AND target LIKE $1`, `%${id}`);
      expect(await looked()).toEqual([]);
      expect((await call('operator', 'GET', look)).status).toBe(200);
      expect(await looked()).toEqual([{ actor_user: 'olga' }]);
    });

    it('stands in the lists of administrators, with whose each is', async () => {
      const list = async (who: 'admin' | 'operator', query: string) =>
        (await call(who, 'GET', `/v1/admin/connections?${query}`)).body['data'] as {
          id: string;
          owner: string;
          userId: string | null;
          tenant: string;
        }[];
      const shared = await list('admin', 'owner=organization');
      expect(shared.find((each) => each.id === id)).toMatchObject({ owner: 'organization', userId: null, tenant: 'acme' });
      expect(new Set(shared.map(({ owner }) => owner))).toEqual(new Set(['organization']));
      expect(new Set((await list('admin', 'userId=boss')).map(({ userId }) => userId))).toEqual(new Set(['boss']));
      expect((await list('operator', 'owner=organization&provider=google&status=connected')).some((each) => each.id === id)).toBe(true);
      expect((await call('bob', 'GET', '/v1/admin/connections')).status).toBe(403);
    });

    it('tells the product that it is the organization’s', async () => {
      const told: unknown[] = [];
      const stop = fixture.app.app.get(IntegrationEvents, { strict: false }).on('connection.connected', (event) => told.push(event.data));
      const [row] = await rows('SELECT account_name FROM connections WHERE id = $1', id);
      await connect('admin', 'google', row!['account_name'] as string, { connectionId: id });
      stop();
      expect(told).toEqual([expect.objectContaining({ owner: 'organization', userId: null })]);
    });

    it('ends the stream of whoever may not see it any more', async () => {
      const stream = await fetch(`${fixture.app.url}/v1/connections/${id}/events`, { headers: { authorization: `Bearer ${tokens.bob}` } });
      expect(stream.status).toBe(200);
      const all = stream.text();
      expect((await call('admin', 'PATCH', `/v1/connections/${id}`, { policy: { usedBy: 'admins' } })).status).toBe(200);
      expect(await all).toContain('retry:');
      expect((await call('bob', 'GET', `/v1/connections/${id}`)).status).toBe(404);
      expect(JSON.stringify((await call('bob', 'GET', '/v1/connections')).body)).not.toContain(id);
      expect((await call('admin', 'PATCH', `/v1/connections/${id}`, { policy: { usedBy: 'all' } })).body).toMatchObject({
        policy: { usedBy: 'all', managedBy: 'admins' },
      });
      expect(
        await rows(`SELECT actor_user FROM audit_entries WHERE action = 'connection.update' AND target = $1`, `connection:${id}`),
      ).toHaveLength(2);
    });

    it('survives the person who made it, and stands in the export of the organization alone', async () => {
      const lines = async (path: string) =>
        (await fetch(`${fixture.app.url}${path}`, { headers: { authorization: `Bearer ${tokens.operator}` } })).text();
      expect(await lines('/v1/admin/users/boss/export?tenant=acme')).not.toContain(`"id":"${id}"`);
      expect(await lines('/v1/admin/tenants/acme/export')).toContain(id);
      expect((await call('operator', 'DELETE', '/v1/admin/users/boss?tenant=acme')).status).toBe(200);
      expect((await call('bob', 'GET', `/v1/connections/${id}`)).body).toMatchObject({ connected: true });
      expect((await call('bob', 'GET', `/v1/connections/${id}/proxy/calendar/v3/users/me/calendarList`)).status).toBe(200);
    });

    it('is ended by an administrator, for all', async () => {
      expect((await call('admin', 'DELETE', `/v1/connections/${id}`)).body).toEqual({ revoked: true });
      expect((await call('bob', 'GET', `/v1/connections/${id}`)).body).toMatchObject({ status: 'disconnected' });
    });
  });

  it('is managed by all where its policy says so, and not given to administrators alone by one of them', async () => {
    const id = await connect('admin', 'google', mail(), { ...organizations, policy: { managedBy: 'all' } });
    const change = (who: 'bob' | 'admin', policy: object) => call(who, 'PATCH', `/v1/connections/${id}`, { policy });
    expect((await change('bob', { usedBy: 'all' })).status).toBe(403);
    expect((await change('admin', { usedBy: 'admins' })).status).toBe(400);
    expect((await call('bob', 'DELETE', `/v1/connections/${id}?purge=true`)).body).toEqual({ revoked: true });
    expect((await call('admin', 'GET', `/v1/connections/${id}`)).status).toBe(404);
  });

  it('gets another key from whoever manages it: of the same account, and it stays whose it is', async () => {
    const keyOf = (account: string) => String(fixture.sandbox.control.change('stripe', 'keys', { account })['key']);
    const ask = (who: 'bob' | 'admin', more: object) => call(who, 'POST', '/v1/connections', { provider: 'stripe', ...more });
    const made = await ask('admin', { apiKey: keyOf('acct_1Shared'), ...organizations });
    expect(made.status).toBe(201);
    const connectionId = made.body['id'] as string;
    const policy = { usedBy: 'all', managedBy: 'admins' };
    const again = { apiKey: keyOf('acct_1Shared'), connectionId };
    expect((await ask('bob', again)).body).toMatchObject({ status: 403, code: 'forbidden' });
    expect((await ask('admin', again)).body).toMatchObject({ id: connectionId, owner: 'organization', policy, mayManage: true });
    expect((await call('admin', 'PATCH', `/v1/connections/${connectionId}`, { policy: { managedBy: 'all' } })).status).toBe(200);
    expect((await ask('bob', again)).body).toMatchObject({
      id: connectionId,
      owner: 'organization',
      policy: { managedBy: 'all' },
      mayManage: true,
    });
    expect((await ask('bob', { ...again, apiKey: keyOf('acct_1Other') })).body).toMatchObject({ code: 'account_mismatch' });
    expect((await ask('bob', { ...again, owner: 'user' })).status).toBe(400);
    expect((await ask('bob', { ...again, policy: { usedBy: 'all' } })).status).toBe(400);
    expect((await ask('bob', { ...again, provider: 'ghost' })).status).toBe(404);
    const stripes = await rows(`SELECT DISTINCT account_id FROM connections WHERE provider = 'stripe' AND tenant = 'acme'`);
    expect(stripes).toEqual([{ account_id: 'acct_1Shared:test' }]);
    expect((await call('eve', 'POST', '/v1/connections', { provider: 'stripe', ...again })).status).toBe(404);
  });

  it('has no policy where it is a person’s', async () => {
    const id = await connect('bob', 'google', mail());
    expect((await call('admin', 'PATCH', `/v1/connections/${id}`, { policy: { usedBy: 'all' } })).status).toBe(400);
  });
});
