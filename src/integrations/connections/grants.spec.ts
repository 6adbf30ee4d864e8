import { Browser, connectFixture, RETURN_TO, type ConnectFixture } from '../connect/testing/connect-fixture';
import { ConnectionRepository } from './connection.repository';
import { toRef } from './connection';
import { DisconnectService } from './disconnect.service';
import { TokenRepository } from './tokens/token.repository';
import { TokenService } from './tokens/token.service';

/** The embedded database has one process and one connection. */
const onServer = process.env['TEST_DATABASE_URL'] ? it : it.skip;

describe('A grant that several connections stand on', () => {
  let fixture: ConnectFixture;
  let accounts = 0;
  beforeAll(async () => {
    fixture = await connectFixture();
  });
  afterAll(() => fixture.close());
  beforeEach(() => fixture.clear());

  interface Person {
    readonly tenant: string;
    readonly user: string;
    readonly role?: 'admin';
  }
  const tokenOf = (person: Person) => fixture.app.tokenFor(person);

  const operator = () => fixture.app.tokenFor({ tenant: 'operations', user: 'olga', role: 'operator' });

  /** @returns the connection's id */
  async function connect(person: Person, provider: string, account: string, as?: string, more: object = {}): Promise<string> {
    const { body } = await fixture.call('POST', '/v1/connect-sessions', { provider, returnTo: RETURN_TO, ...more }, await tokenOf(person));
    const browser = new Browser();
    const authorizeUrl = new URL((await browser.press(body['connectUrl'] as string)).location);
    if (as !== undefined) authorizeUrl.searchParams.set('user', as);
    const end = new URL((await browser.get(await fixture.consent(authorizeUrl.href, account))).location);
    expect(end.searchParams.get('success')).toBe(provider);
    return end.searchParams.get('connection') as string;
  }
  const disconnect = async (person: Person, id: string) =>
    (await fixture.call('DELETE', `/v1/connections/${id}`, undefined, await tokenOf(person))).body;
  const statusOf = async (person: Person, id: string) =>
    (await fixture.call('GET', `/v1/connections/${id}`, undefined, await tokenOf(person))).body['status'];
  const hits = (endpoint: string) => fixture.sandbox.control.ledger({ kind: 'request', endpoint }).length;
  const rows = (sql: string, ...params: unknown[]) => fixture.dataSource.query<Record<string, unknown>[]>(sql, params);

  async function tokenFor(id: string): Promise<string> {
    const connection = await fixture.app.app.get(ConnectionRepository, { strict: false }).findById(id);
    return (await fixture.app.app.get(TokenService, { strict: false }).accessToken(toRef(connection!))).accessToken;
  }
  async function works(provider: 'slack' | 'google' | 'stripe', id: string): Promise<boolean> {
    if (provider === 'stripe')
      return (await fixture.call('GET', `/v1/connections/${id}/proxy/v1/account`, undefined, await operator())).status === 200;
    const headers = { authorization: `Bearer ${await tokenFor(id)}` };
    if (provider === 'google') return (await fetch(`${fixture.sandbox.urls.google}/v1/userinfo`, { headers })).ok;
    const answer = await fetch(`${fixture.sandbox.urls.slack}/api/auth.test`, { method: 'POST', headers });
    return ((await answer.json()) as { ok: boolean }).ok;
  }
  const endedByTheirClock = async (id: string) => {
    fixture.sandbox.control.expireTokens('slack');
    await rows(
      `UPDATE tokens t SET expires_at = now() - interval '1 second' FROM connections c WHERE c.id = $1 AND t.grant_id = c.grant_id`,
      id,
    );
    fixture.app.app.get(TokenService, { strict: false }).invalidate(id);
  };

  const people: Person[] = [
    { tenant: 'acme', user: 'ada' },
    { tenant: 'acme', user: 'bob' },
    { tenant: 'other', user: 'eve' },
  ];
  const all = <T>(work: (person: Person, index: number) => Promise<T>) => Promise.all(people.map(work));

  describe.each([
    ['google', () => `shared${++accounts}@acme.test`, 'oauth.revoke'],
    ['stripe', () => `acct_1Shared${++accounts}`, 'oauth.deauthorize'],
  ] as const)('of %s', (provider, account, revocation) => {
    it('goes on for another organization when one disconnects, and is revoked with the last', async () => {
      const [ada, , eve] = people as [Person, Person, Person];
      const shared = account();
      const first = await connect(ada, provider, shared);
      const second = await connect(eve, provider, shared);
      expect(await disconnect(ada, first)).toEqual({ revoked: false });
      expect(hits(revocation)).toBe(0);
      expect(await rows('SELECT 1 FROM tokens WHERE connection_id = $1', first)).toEqual([]);
      expect([await works(provider, second), await statusOf(eve, second)]).toEqual([true, 'connected']);
      expect(await disconnect(eve, second)).toEqual({ revoked: true });
      expect(hits(revocation)).toBe(1);
      expect(await rows('SELECT 1 FROM grants WHERE provider = $1', provider)).toEqual([]);
    });

    onServer('is revoked once by two that leave at once while other processes renew their tokens', async () => {
      const [ada, , eve] = people as [Person, Person, Person];
      const shared = account();
      const ids = [await connect(ada, provider, shared), await connect(eve, provider, shared)];
      const renewals = fixture.dataSource.createQueryRunner();
      await renewals.startTransaction();
      await renewals.query('SELECT 1 FROM tokens FOR NO KEY UPDATE');
      const ends = [disconnect(ada, ids[0]!), disconnect(eve, ids[1]!)];
      while ((await rows(`SELECT 1 FROM connections WHERE id = ANY ($1) AND status = 'connected'`, ids)).length > 0);
      await renewals.rollbackTransaction();
      await renewals.release();
      expect((await Promise.all(ends)).map((end) => end['revoked']).sort()).toEqual([false, true]);
      expect(hits(revocation)).toBe(1);
      expect(await rows('SELECT 1 FROM tokens')).toEqual([]);
    });

    it('is not revoked for one whose own consent was renewed while another ended', async () => {
      const [ada, bob] = people as [Person, Person, Person];
      const shared = account();
      const first = await connect(ada, provider, shared);
      const second = await connect(bob, provider, shared);
      await Promise.all([disconnect(ada, first), connect(bob, provider, shared)]);
      expect(hits(revocation)).toBe(0);
      expect(await works(provider, second)).toBe(true);
      await disconnect(bob, second);
    });

    it('is not revoked by whoever connects anew while the last one ends', async () => {
      const [ada, bob] = people as [Person, Person, Person];
      const shared = account();
      const first = await connect(ada, provider, shared);
      let second = '';
      const release = fixture.app.app.get(DisconnectService, { strict: false }).beforeDisconnect(async ({ id }) => {
        if (id === first) second = await connect(bob, provider, shared);
      });
      await disconnect(ada, first);
      release();
      expect([hits(revocation), await works(provider, second)]).toEqual([0, true]);
      await disconnect(bob, second);
    });

    it('is not revoked with a personal connection while the organization’s stands on it', async () => {
      const boss: Person = { tenant: 'acme', user: 'boss', role: 'admin' };
      const shared = account();
      const own = await connect(boss, provider, shared);
      const organizations = await connect(boss, provider, shared, undefined, { owner: 'organization' });
      expect(await disconnect(boss, own)).toEqual({ revoked: false });
      expect(await works(provider, organizations)).toBe(true);
      expect(await disconnect(boss, organizations)).toEqual({ revoked: true });
    });
  });

  describe('of one installation', () => {
    let ids: string[];
    beforeEach(async () => {
      const account = `T_SHARED${++accounts}`;
      ids = [];
      for (const person of people) ids.push(await connect(person, 'slack', account));
      fixture.clear();
    });
    afterEach(() => all((person, index) => disconnect(person, ids[index]!)));

    it('has one token, with which all of them work', async () => {
      expect(await rows('SELECT 1 FROM tokens')).toHaveLength(1);
      expect(await Promise.all(ids.map((id) => works('slack', id)))).toEqual([true, true, true]);
      expect(new Set(await Promise.all(ids.map(tokenFor))).size).toBe(1);
    });

    it('is renewed once for all', async () => {
      await Promise.all(ids.map(endedByTheirClock));
      expect(await Promise.all(ids.map((id) => works('slack', id)))).toEqual([true, true, true]);
      expect(hits('oauth.v2.access')).toBe(1);
    });

    it('is renewed once for all where each still has a token of its own, and shared from then on', async () => {
      const held = fixture.app.app.get(TokenRepository, { strict: false });
      for (const [index, id] of ids.entries()) {
        const { kind, accessToken, refreshToken } = (await held.load(id))!;
        // as before grants were known
        await fixture.dataSource.transaction((manager) =>
          held.save(manager, { id, tenant: people[index]!.tenant }, [{ kind, accessToken, refreshToken, scopes: [] }], {
            mode: 'replace',
            at: new Date(),
          }),
        );
      }
      await rows(`UPDATE tokens SET obtained_at = now() - interval '1 hour', expires_at = now() - interval '1 second'`);
      for (const id of ids) fixture.app.app.get(TokenService, { strict: false }).invalidate(id);
      fixture.sandbox.control.expireTokens('slack');
      expect(await rows('SELECT 1 FROM tokens WHERE slot IS NULL')).toHaveLength(3);
      expect(await Promise.all(ids.map((id) => works('slack', id)))).toEqual([true, true, true]);
      expect(hits('oauth.v2.access')).toBe(1);
      expect(await rows('SELECT slot FROM tokens')).toEqual([{ slot: 'bot' }]);
      await disconnect(people[0]!, ids[0]!);
      expect([await works('slack', ids[1]!), await works('slack', ids[2]!)]).toEqual([true, true]);
    });

    it('is ended once by all that leave at once, and leaves no token behind', async () => {
      const tokens = await Promise.all(ids.map(tokenFor));
      const ended = await all((person, index) => disconnect(person, ids[index]!));
      expect(ended.map((end) => end['revoked']).sort()).toEqual([false, false, true]);
      expect(hits('apps.uninstall')).toBe(1);
      expect(await rows('SELECT 1 FROM tokens')).toEqual([]);
      const headers = { authorization: `Bearer ${tokens[0]}` };
      const answer = await fetch(`${fixture.sandbox.urls.slack}/api/auth.test`, { method: 'POST', headers });
      expect(((await answer.json()) as { ok: boolean }).ok).toBe(false);
    });

    it('is renewed for the others also when the one that asked first has ended', async () => {
      await Promise.all(ids.map(endedByTheirClock));
      fixture.sandbox.control.addFault({ kind: 'latency', endpoint: 'oauth.v2.access', latencyMs: 700 });
      const [ada] = people as [Person];
      const asked = [tokenFor(ids[0]!).catch(() => ''), tokenFor(ids[1]!)];
      const [ended] = await Promise.all([disconnect(ada, ids[0]!), ...asked]);
      expect(ended).toEqual({ revoked: false });
      expect(await works('slack', ids[1]!)).toBe(true);
      expect(hits('oauth.v2.access')).toBe(1);
    });

    it('ends once, for all, and is mended for all by the one that connects again', async () => {
      fixture.sandbox.control.revokeTokens('slack');
      await endedByTheirClock(ids[0]!);
      await expect(tokenFor(ids[0]!)).rejects.toMatchObject({ code: 'needs_reauth' });
      expect(hits('oauth.v2.access')).toBe(1);
      expect(await all((person, index) => statusOf(person, ids[index]!))).toEqual(['needs_reauth', 'needs_reauth', 'needs_reauth']);
      expect(hits('oauth.v2.access')).toBe(1);
      const account = (await rows('SELECT account_id FROM connections WHERE id = $1', ids[0]))[0]!['account_id'] as string;
      expect(await connect(people[1]!, 'slack', account)).toBe(ids[1]);
      expect(await all((person, index) => statusOf(person, ids[index]!))).toEqual(['connected', 'connected', 'connected']);
      expect(await Promise.all(ids.map((id) => works('slack', id)))).toEqual([true, true, true]);
    });

    it('is uninstalled with the last, and not before', async () => {
      const [ada, bob, eve] = people as [Person, Person, Person];
      await disconnect(ada, ids[0]!);
      await disconnect(bob, ids[1]!);
      expect(await works('slack', ids[2]!)).toBe(true);
      expect([hits('auth.revoke'), hits('apps.uninstall')]).toEqual([0, 0]);
      expect(await disconnect(eve, ids[2]!)).toEqual({ revoked: true });
      expect(hits('apps.uninstall')).toBe(1);
      expect(await rows('SELECT 1 FROM tokens')).toEqual([]);
    });
  });
});
