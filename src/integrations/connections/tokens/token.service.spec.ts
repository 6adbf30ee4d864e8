import { tokenFixture, type TokenFixture } from '../../connect/testing/token-fixture';
import type { ConnectionRef } from '../../contract';

const HOURS_13 = 13 * 3_600_000;
const PROCESSES = 3;

describe('TokenService', () => {
  let fixture: TokenFixture;
  beforeAll(async () => {
    fixture = await tokenFixture({ processes: PROCESSES });
  });
  afterAll(() => fixture.close());
  beforeEach(() => fixture.clear());

  const first = () => fixture.processes[0]!;
  const expired = async (provider: 'chat' | 'mail'): Promise<ConnectionRef> => {
    const connection = await fixture.connect(provider);
    fixture.clock.advance(HOURS_13);
    fixture.clear();
    return connection;
  };
  const statusOf = async ({ id }: ConnectionRef) => first().connections.findById(id);
  const marksOf = async ({ id }: ConnectionRef): Promise<unknown[]> =>
    fixture.database.dataSource.query('SELECT r.* FROM token_refreshes r JOIN tokens t ON t.id = r.token_id WHERE t.connection_id = $1', [
      id,
    ]);

  it('hands out a good token without a call, and from memory the second time', async () => {
    const connection = await fixture.connect('mail');
    const token = await first().tokens.accessToken(connection);
    await fixture.database.dataSource.query('UPDATE tokens SET version = 99 WHERE connection_id = $1', [connection.id]);
    expect(await first().tokens.accessToken(connection)).toEqual(token);
    fixture.clock.advance(3_001);
    expect((await first().tokens.accessToken(connection)).version).toBe(99);
    expect(fixture.refreshes('mail')).toBe(0);
  });

  it.each([50, 2_000])(
    'renews a single-use refresh token once for 100 callers in each process, with a token endpoint that takes %i ms',
    async (latencyMs) => {
      const connection = await expired('chat');
      fixture.sandbox.control.addFault({ kind: 'latency', endpoint: 'oauth.v2.access', latencyMs });
      const callers = fixture.processes.flatMap(({ tokens }) =>
        Array.from({ length: 100 }, () => tokens.accessToken(connection, { kind: 'bot' })),
      );
      const tokens = await Promise.all(callers);
      expect(fixture.refreshes('chat')).toBe(1);
      expect(new Set(tokens.map(({ accessToken }) => accessToken)).size).toBe(1);
      expect(tokens[0]).toMatchObject({ version: 2, kind: 'bot' });
      expect(await marksOf(connection)).toEqual([]);
    },
  );

  it('keeps the lives of two tokens apart', async () => {
    const connection = await expired('chat');
    const bot = await first().tokens.accessToken(connection, { kind: 'bot' });
    expect(fixture.refreshes('chat')).toBe(1);
    const user = await first().tokens.accessToken(connection, { kind: 'user' });
    expect(fixture.refreshes('chat')).toBe(2);
    expect(bot.accessToken).toMatch(/^xoxe\.xoxb-/);
    expect(user.accessToken).toMatch(/^xoxe\.xoxp-/);
    expect(await first().tokens.accessToken(connection, { kind: 'bot' })).toEqual(bot);
  });

  it('renews within 60 s of the end', async () => {
    const connection = await fixture.connect('mail');
    fixture.clock.advance(3_599_000 - 61_000);
    expect((await first().tokens.accessToken(connection)).version).toBe(1);
    fixture.clock.advance(3_001);
    expect((await first().tokens.accessToken(connection)).version).toBe(2);
    expect(fixture.refreshes('mail')).toBe(1);
  });

  it('never overwrites a refresh token with nothing', async () => {
    const connection = await expired('mail');
    const before = await first().repository.load(connection.id);
    await first().tokens.accessToken(connection);
    const after = await first().repository.load(connection.id);
    expect(after?.refreshToken).toBe(before?.refreshToken);
    expect(after?.accessToken).not.toBe(before?.accessToken);
    fixture.clock.advance(HOURS_13);
    expect((await first().tokens.accessToken(connection)).version).toBe(3);
  });

  it('replaces a rejected token once, and not at all where somebody has done so', async () => {
    const connection = await fixture.connect('chat');
    const { version } = await first().tokens.accessToken(connection, { kind: 'bot' });
    fixture.sandbox.control.expireTokens('slack');
    const renewed = await Promise.all(
      fixture.processes.flatMap(({ tokens }) =>
        Array.from({ length: 20 }, () => tokens.accessToken(connection, { kind: 'bot', rejected: { version } })),
      ),
    );
    expect(fixture.refreshes('chat')).toBe(1);
    expect(renewed.every((token) => token.version === 2)).toBe(true);
    await first().tokens.accessToken(connection, { kind: 'bot', rejected: { version } });
    expect(fixture.refreshes('chat')).toBe(1);
  });

  it('marks the connection on a refusal, tells it once, and stops all traffic', async () => {
    const connection = await expired('chat');
    fixture.sandbox.control.revokeTokens('slack');
    const told = first().events.length;
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => first().tokens.accessToken(connection, { kind: 'bot' })));
    expect(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason.code === 'needs_reauth')).toBe(true);
    expect(fixture.refreshes('chat')).toBe(1);
    expect(await statusOf(connection)).toMatchObject({
      status: 'needs_reauth',
      error: { code: 'needs_reauth', providerCode: 'invalid_refresh_token' },
    });
    expect(
      first()
        .events.slice(told)
        .map(({ type, connectionId }) => [type, connectionId]),
    ).toEqual([['connection.needs_reauth', connection.id]]);
    await expect(first().tokens.accessToken(connection, { kind: 'user' })).rejects.toMatchObject({ code: 'needs_reauth' });
    expect(fixture.refreshes('chat')).toBe(1);
  });

  it.each([
    ['a server error', { kind: 'status', status: 503 } as const],
    ['a lost connection', { kind: 'reset' } as const],
    ['a page of HTML', { kind: 'html-200' } as const],
  ])('keeps a good token in use through %s at the token endpoint', async (_, fault) => {
    const connection = await fixture.connect('mail');
    fixture.clock.advance(3_599_000 - 30_000);
    fixture.clear();
    fixture.sandbox.control.addFault({ ...fault, endpoint: 'oauth.token' });
    const tokens = await Promise.all(Array.from({ length: 50 }, () => first().tokens.accessToken(connection)));
    expect(tokens.every(({ version }) => version === 1)).toBe(true);
    await first().tokens.accessToken(connection);
    expect(fixture.refreshes('mail')).toBe(1); // the failure is shared, not repeated
    expect(await statusOf(connection)).toMatchObject({ status: 'connected', error: null });
    fixture.sandbox.control.clearFaults();
    fixture.clock.advance(2_000);
    expect((await first().tokens.accessToken(connection)).version).toBe(2);
  });

  it('shares one passing failure among all who wait, and tries again later', async () => {
    const connection = await expired('mail');
    fixture.sandbox.control.addFault({ kind: 'status', status: 500, endpoint: 'oauth.token', count: 1 });
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, () => first().tokens.accessToken(connection)));
    expect(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason.code === 'provider_unavailable')).toBe(true);
    await expect(first().tokens.accessToken(connection)).rejects.toMatchObject({ code: 'provider_unavailable', retryable: true });
    expect(fixture.refreshes('mail')).toBe(1);
    fixture.clock.advance(1_001);
    expect((await first().tokens.accessToken(connection)).version).toBe(2);
    expect(await statusOf(connection)).toMatchObject({ status: 'connected' });
  });

  it('does not blame the user for a wrong client secret', async () => {
    const connection = await expired('mail');
    fixture.sandbox.control.addFault({ kind: 'status', status: 401, body: { error: 'invalid_client' }, endpoint: 'oauth.token', count: 1 });
    await expect(first().tokens.accessToken(connection)).rejects.toMatchObject({
      code: 'provider_misconfigured',
      providerCode: 'invalid_client',
    });
    expect(await statusOf(connection)).toMatchObject({ status: 'connected' });
    expect(await marksOf(connection)).toEqual([]); // certain that nothing was rotated
  });

  it('names an interruption: the provider rotated, and the answer never came', async () => {
    const connection = await expired('chat');
    fixture.sandbox.control.addFault({ kind: 'drop-after-rotate', endpoint: 'oauth.v2.access', count: 1 });
    await expect(first().tokens.accessToken(connection, { kind: 'bot' })).rejects.toMatchObject({ code: 'provider_unavailable' });
    expect(await marksOf(connection)).toHaveLength(1);
    expect(await statusOf(connection)).toMatchObject({ status: 'connected' });
    fixture.clock.advance(1_001);
    await expect(first().tokens.accessToken(connection, { kind: 'bot' })).rejects.toMatchObject({ code: 'refresh_interrupted' });
    expect(await statusOf(connection)).toMatchObject({ status: 'needs_reauth', error: { code: 'refresh_interrupted' } });
    fixture.clock.advance(60_000);
    await expect(first().tokens.accessToken(connection, { kind: 'bot' })).rejects.toMatchObject({ code: 'refresh_interrupted' });
    expect(fixture.refreshes('chat')).toBe(2); // tried once with what we hold, then never again
  });

  it('finds the mark that a crashed process left, tries once, and goes on where the provider still takes the token', async () => {
    const connection = await expired('mail');
    const token = await first().repository.load(connection.id);
    await fixture.database.dataSource.query('INSERT INTO token_refreshes (token_id, version) VALUES ($1, $2)', [token?.id, token?.version]);
    expect((await first().tokens.accessToken(connection)).version).toBe(2);
    expect(await marksOf(connection)).toEqual([]);
  });

  it('lets one caller leave without ending the renewal for the others', async () => {
    const connection = await expired('mail');
    fixture.sandbox.control.addFault({ kind: 'latency', endpoint: 'oauth.token', latencyMs: 300 });
    const leaving = new AbortController();
    const left = first().tokens.accessToken(connection, { signal: leaving.signal });
    const stayed = first().tokens.accessToken(connection);
    leaving.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    expect((await stayed).version).toBe(2);
    expect(fixture.refreshes('mail')).toBe(1);
  });

  it('takes the newer grant where somebody connected anew during the renewal', async () => {
    const connection = await expired('chat');
    fixture.sandbox.control.addFault({ kind: 'latency', endpoint: 'oauth.v2.access', latencyMs: 400, count: 1 });
    const renewal = first().tokens.accessToken(connection, { kind: 'bot' });
    await untilMarked(marksOf, connection);
    const { dataSource } = fixture.database;
    const at = new Date(fixture.clock.now());
    const anew = first().repository.save(
      dataSource.manager,
      connection,
      [{ kind: 'bot', accessToken: 'xoxb-newest', refreshToken: 'r', expiresInS: 43_200, scopes: [] }],
      { mode: 'replace', at },
    );
    await Promise.all([renewal, anew]);
    first().tokens.invalidate(connection.id);
    expect((await first().tokens.accessToken(connection, { kind: 'bot' })).accessToken).toBe('xoxb-newest');
    expect(await statusOf(connection)).toMatchObject({ status: 'connected' });
  });

  it('stops handing out a token within 5 s of a disconnect in another process, and at once in the same', async () => {
    const connection = await fixture.connect('mail');
    const here = first();
    const there = fixture.processes.at(-1)!;
    await there.tokens.accessToken(connection);
    await here.tokens.accessToken(connection);
    await here.disconnects.disconnect(connection);
    await expect(here.tokens.accessToken(connection)).rejects.toMatchObject({ code: 'not_connected' });
    fixture.clock.advance(5_000);
    await expect(there.tokens.accessToken(connection)).rejects.toMatchObject({ code: 'not_connected' });
  });

  it('asks for a reconnect when a token without a refresh token ends, and leaves a lasting one alone', async () => {
    const connection = await fixture.connect('mail');
    await fixture.database.dataSource.query('UPDATE tokens SET refresh_token = NULL WHERE connection_id = $1', [connection.id]);
    fixture.clock.advance(3_599_000 - 1_000);
    expect((await first().tokens.accessToken(connection)).version).toBe(1);
    fixture.clock.advance(2_000);
    await expect(first().tokens.accessToken(connection)).rejects.toMatchObject({ code: 'needs_reauth' });
    expect(await statusOf(connection)).toMatchObject({ status: 'needs_reauth' });
  });

  it('fails closed on a secret that was moved between rows, and makes it seen', async () => {
    const [a, b] = [await fixture.connect('mail'), await fixture.connect('mail')];
    await fixture.database.dataSource.query(
      'UPDATE tokens SET access_token = (SELECT access_token FROM tokens WHERE connection_id = $1) WHERE connection_id = $2',
      [a.id, b.id],
    );
    await expect(first().tokens.accessToken(b)).rejects.toMatchObject({ code: 'decryption_failed' });
    expect(await statusOf(b)).toMatchObject({ status: 'needs_reauth', error: { code: 'decryption_failed' } });
    expect(first().events.at(-1)).toMatchObject({
      type: 'connection.needs_reauth',
      connectionId: b.id,
      data: { code: 'decryption_failed' },
    });
    expect((await first().tokens.accessToken(a)).version).toBe(1);
  });

  it('leaves no plain token in any table', async () => {
    const connection = await expired('chat');
    const before = await first().repository.loadAll(connection);
    await first().tokens.accessToken(connection, { kind: 'bot' });
    const after = await first().repository.loadAll(connection);
    const everything = await fixture.everything();
    expect(everything).toContain(connection.id);
    for (const { accessToken, refreshToken } of [...before, ...after]) {
      expect(everything).not.toContain(accessToken);
      expect(everything).not.toContain(refreshToken);
    }
  });
});

async function untilMarked(marksOf: (connection: ConnectionRef) => Promise<unknown[]>, connection: ConnectionRef): Promise<void> {
  const deadline = Date.now() + 5_000;
  while ((await marksOf(connection)).length === 0) {
    if (Date.now() > deadline) throw new Error('the renewal never began');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
