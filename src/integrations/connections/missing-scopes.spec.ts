import { Browser, connectFixture, RETURN_TO, type ConnectFixture } from '../connect/testing/connect-fixture';
import { ProviderRegistry } from '../providers';

const SCOPE = 'https://www.googleapis.com/auth/';
const CALENDAR = `${SCOPE}calendar.readonly`;
const READ = `${SCOPE}gmail.readonly`;
const SEND = `${SCOPE}gmail.send`;

describe('What a consent lacks', () => {
  let fixture: ConnectFixture;
  beforeAll(async () => {
    fixture = await connectFixture();
  });
  afterAll(() => fixture.close());
  beforeEach(() => fixture.clear());

  /** @returns the connection's id */
  async function connect(scopes: readonly string[], more: object = {}): Promise<string> {
    const account = 'partly@acme.test';
    const { body } = await fixture.call('POST', '/v1/connect-sessions', { provider: 'google', returnTo: RETURN_TO, ...more });
    const browser = new Browser();
    const authorizeUrl = new URL((await browser.press(body['connectUrl'] as string)).location);
    expect(authorizeUrl.searchParams.get('scope')?.split(' ')).toEqual(expect.arrayContaining([CALENDAR, READ, SEND]));
    // Boxes that the person leaves ticked.
    authorizeUrl.searchParams.set('scope', ['openid', 'email', ...scopes].join(' '));
    const end = new URL((await browser.get(await fixture.consent(authorizeUrl.href, account))).location);
    return end.searchParams.get('connection') as string;
  }
  const seen = async (id: string) => (await fixture.call('GET', `/v1/connections/${id}`)).body;

  it('stands on the connection, which works in part, and is mended by connecting anew', async () => {
    const id = await connect([CALENDAR]);
    expect(await seen(id)).toMatchObject({
      status: 'connected',
      partial: true,
      missingScopes: expect.arrayContaining([READ, SEND]) as unknown,
    });
    expect((await seen(id))['missingScopes']).toHaveLength(2);
    const { body } = await fixture.call('GET', '/v1/connections');
    expect(body['data']).toEqual([expect.objectContaining({ id, partial: true })]);
    expect(await connect([CALENDAR, READ, SEND], { connectionId: id })).toBe(id);
    expect(await seen(id)).toMatchObject({ partial: false, missingScopes: [] });
  });

  it('is nothing where a wider scope was given, or where it is asked for on demand only', async () => {
    const id = await connect([`${SCOPE}calendar`, `${SCOPE}gmail.modify`]);
    expect(await seen(id)).toMatchObject({ partial: false, missingScopes: [] });
    const { body } = await fixture.call('GET', `/v1/connections/${id}/operations`);
    const onDemand = (body['data'] as { name: string; missingScopes: string[] }[]).filter(({ missingScopes }) => missingScopes.length > 0);
    expect(onDemand.every(({ missingScopes }) => missingScopes.every((scope) => ![CALENDAR, READ, SEND].includes(scope)))).toBe(true);
  });

  it('is asked for by default wherever a resource or an operation of a provider cannot do without it, or on demand', () => {
    const registry = fixture.app.app.get(ProviderRegistry, { strict: false });
    for (const { key, oauth2, sync } of registry.all())
      for (const { name, scopes = [], widerScopes = {} } of sync?.resources ?? []) {
        const asked = new Set(oauth2?.scopes);
        const lacking = scopes.filter((scope) => ![scope, ...(widerScopes[scope] ?? [])].some((each) => asked.has(each)));
        expect([key, name, lacking]).toEqual([key, name, []]);
      }
  });
});
