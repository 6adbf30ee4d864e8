import { OperationRegistry } from '../operations';
import { Browser, connectFixture, RETURN_TO, type ConnectFixture } from './testing/connect-fixture';

describe('Scopes in the person’s own name', () => {
  let fixture: ConnectFixture;
  beforeAll(async () => {
    fixture = await connectFixture({ SLACK_USER_SCOPES: 'search:read channels:read,made:up' });
  });
  afterAll(() => fixture.close());
  beforeEach(() => fixture.clear());

  const seen = async (id: string | null) => (await fixture.call('GET', `/v1/connections/${id}`)).body;
  const asked = async (more: Record<string, unknown>) => {
    const { location } = await new Browser().press(await fixture.session('slack', more));
    return new URL(location).searchParams;
  };
  const kindsOf = async (id: string | null) => {
    const rows = await fixture.dataSource.query<{ kind: string }[]>(
      `SELECT t.kind FROM tokens t JOIN connections c ON c.grant_id = t.grant_id AND t.slot = ANY (c.slots) WHERE c.id = $1 ORDER BY 1`,
      [id],
    );
    return rows.map(({ kind }) => kind);
  };

  it('are asked for where the caller says so, beside the app’s, and named in words', async () => {
    expect((await asked({})).has('user_scope')).toBe(false);
    expect((await asked({ userScopes: [] })).has('user_scope')).toBe(false);
    const query = await asked({ userScopes: ['search:read', 'made:up'] });
    expect(query.get('user_scope')).toBe('search:read,made:up');
    expect(query.get('scope')).toContain('chat:write');
    const { text } = await new Browser().get(await fixture.session('slack', { userScopes: ['search:read', 'made:up'] }));
    expect(text).toMatch(/in your own name:<\/p>\s*<ul>\s*<li>Search all messages and files that you can see<\/li>\s*<li>made:up<\/li>/);
    expect((await new Browser().get(await fixture.session('slack'))).text).not.toContain('in your own name');
  });

  it.each([
    ['slack', ['search:read', 'chat:write']],
    ['google', ['search:read']],
  ])('are refused where the setting of %s does not allow them', async (provider, userScopes) => {
    const { status, body } = await fixture.call('POST', '/v1/connect-sessions', { provider, userScopes, returnTo: RETURN_TO });
    expect([status, body['code']]).toEqual([403, 'scope_not_allowed']);
    expect(body['detail']).toContain(userScopes.at(-1));
  });

  it('are refused for a connection of the organization: nobody lends everybody their name', async () => {
    const request = { provider: 'slack', userScopes: ['search:read'], owner: 'organization', returnTo: RETURN_TO };
    const { status, body } = await fixture.call('POST', '/v1/connect-sessions', request, fixture.tokens.admin);
    expect([status, body['code'], body['detail']]).toEqual([400, 'invalid_request', expect.stringContaining('userScopes')]);
  });

  it('give a token of the person’s own, which stands with its kind, and are asked for again when it is mended', async () => {
    const back = await fixture.connect('slack', 'T_PERSON', { userScopes: ['search:read'] });
    const id = back.searchParams.get('connection');
    expect(await kindsOf(id)).toEqual(['bot', 'user']);
    const { scopes, missingScopes } = await seen(id);
    expect(scopes).toEqual(expect.arrayContaining(['chat:write', 'user:search:read']));
    expect(missingScopes).toEqual([]);
    expect((await asked({ connectionId: id })).get('user_scope')).toBe('search:read');
    const again = await fixture.connect('slack', 'T_PERSON', { connectionId: id });
    expect(again.searchParams.get('connection')).toBe(id);
    expect(await kindsOf(id)).toEqual(['bot', 'user']);
    await fixture.connect('slack', 'T_PERSON', { connectionId: id, userScopes: [] });
    expect(await kindsOf(id)).toEqual(['bot']);
    expect((await seen(id))['scopes']).not.toContain('user:search:read');
  });

  it('do not hide what the app was not allowed', async () => {
    const reads = fixture.app.app
      .get(OperationRegistry, { strict: false })
      .all()
      .filter(({ provider, scopes }) => provider === 'slack' && scopes.includes('channels:read'));
    expect(reads.length).toBeGreaterThan(0);
    const url = await fixture.session('slack', { scopes: ['chat:write', 'users:read', 'channels:history'], userScopes: ['channels:read'] });
    const browser = new Browser();
    const callback = await fixture.consent((await browser.press(url)).location, 'T_LESS');
    const id = new URL((await browser.get(callback)).location).searchParams.get('connection');
    expect(await seen(id)).toMatchObject({
      partial: true,
      missingScopes: ['channels:read'],
      scopes: expect.arrayContaining(['user:channels:read']) as unknown,
    });
  });
});
