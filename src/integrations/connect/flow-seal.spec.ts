import { createHash } from 'node:crypto';
import { Browser, connectFixture, type ConnectFixture } from './testing/connect-fixture';

const sha256 = (secret: string | null) =>
  createHash('sha256')
    .update(secret ?? '')
    .digest('base64url');

/** What decides whom a flow is for and what it asks: every column that both tables have. */
const CHANGES: readonly [string, string][] = [
  ['another person', `user_id = 'eve'`],
  ['another organization', `tenant = 'other'`],
  ['the organization as owner', `owner = 'organization'`],
  ['other users', `used_by = 'all'`],
  ['other managers', `managed_by = 'all'`],
  ['another provider', `provider = 'mail'`],
  ['another way back', `return_to = 'http://localhost/settings'`],
  ['another connection', 'connection_id = gen_random_uuid()'],
  ['more scopes', `scopes = '{everything}'`],
  ['scopes in another name', `user_scopes = '{search:read}'`],
  ['another host', `fields = '{"shop": "evil"}'`],
  ['another maker', `maker = '{"tenant": "acme", "userId": "boss", "role": "admin"}'`],
  ['a longer life', `expires_at = expires_at + interval '1 second'`],
  ['no seal', 'seal = NULL'],
  ['a seal that is none', `seal = 'v1:k1:AAAA'`],
  ['a seal of a key that is not there', `seal = replace(seal, split_part(seal, ':', 2), 'gone')`],
];

describe('A row of connecting that was changed in the database', () => {
  let fixture: ConnectFixture;
  beforeAll(async () => {
    fixture = await connectFixture();
  });
  afterAll(() => fixture.close());
  beforeEach(() => fixture.clear());
  const change = (table: string, key: string, hash: string, to: string) =>
    fixture.dataSource.query<[unknown[], number]>(`UPDATE ${table} SET ${to} WHERE ${key} = $1`, [hash]);

  it.each([...CHANGES, ['another name of the person', `display = '{"user": "Somebody else"}'`] as const])(
    'starts nothing as a connect link with %s',
    async (_, to) => {
      const url = await fixture.session('chat', { display: { user: 'Ada', organization: 'Acme' } });
      const hash = sha256(new URL(url).searchParams.get('session'));
      const browser = new Browser();
      expect((await browser.get(url)).status).toBe(200);
      expect(await change('connect_sessions', 'token_hash', hash, to)).toEqual([[], 1]);
      const page = await browser.get(url);
      expect([page.status, page.text]).toEqual([401, expect.stringContaining('Start connecting again.')]);
      expect((await browser.press(url)).status).toBe(401);
    },
  );

  it.each([...CHANGES, ['another browser', `browser_hash = '${sha256('b')}'`] as const, ['no verifier', 'code_verifier = NULL'] as const])(
    'connects nothing at the callback with %s',
    async (_, to) => {
      const browser = new Browser();
      const callback = await fixture.toCallback(browser, 'chat', 'T_ALTERED');
      const hash = sha256(new URL(callback).searchParams.get('state'));
      expect(await change('oauth_states', 'state_hash', hash, to)).toEqual([[], 1]);
      expect((await browser.get(callback)).status).toBe(400);
      expect(fixture.tokenCalls()).toBe(0);
    },
  );

  it('is refused with the seal of another link', async () => {
    const [one, other] = [await fixture.session('chat'), await fixture.session('chat')];
    const hash = (url: string) => sha256(new URL(url).searchParams.get('session'));
    await change(
      'connect_sessions',
      'token_hash',
      hash(one),
      `seal = (SELECT seal FROM connect_sessions WHERE token_hash = '${hash(other)}')`,
    );
    expect((await new Browser().get(one)).status).toBe(401);
    expect((await new Browser().get(other)).status).toBe(200);
  });

  it('goes on with everything that a flow may carry, as it was', async () => {
    const { body } = await fixture.call('GET', '/v1/connections?provider=chat', undefined, fixture.tokens.admin);
    const before = (body['data'] as unknown[]).length;
    const back = await fixture.connect('chat', 'T_WHOLE', {
      scopes: ['chat:write'],
      display: { organization: 'Ümläut & “Söhne” 🙂', user: 'Ada' },
    });
    expect(back.searchParams.get('success')).toBe('chat');
    const id = back.searchParams.get('connection') as string;
    const again = await fixture.connect('chat', 'T_WHOLE', { connectionId: id });
    expect(again.searchParams.get('connection')).toBe(id);
    const after = await fixture.call('GET', '/v1/connections?provider=chat', undefined, fixture.tokens.admin);
    expect((after.body['data'] as unknown[]).length).toBe(before + 1);
  });
});
