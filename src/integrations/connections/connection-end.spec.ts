import type { ConnectionRef } from '../contract';
import { tokenFixture, type TokenFixture } from '../connect/testing/token-fixture';

describe('The end of a connection', () => {
  let fixture: TokenFixture;
  beforeAll(async () => {
    fixture = await tokenFixture({ processes: 2 });
  });
  afterAll(() => fixture.close());
  beforeEach(() => fixture.clear());

  const first = () => fixture.processes[0]!;
  const statusOf = async ({ id }: ConnectionRef) => first().connections.findById(id);
  const revoke = ({ id }: ConnectionRef, code: 'needs_reauth' | 'not_connected', eventAt?: number) =>
    fixture.database.dataSource.transaction((manager) =>
      first().status.markRevoked(manager, id, { code, providerCode: 'app_uninstalled', eventAt }),
    );

  describe('told by the provider', () => {
    it('destroys the tokens and gives an event for after the commit, once', async () => {
      const connection = await fixture.connect('chat');
      const told = first().events.length;
      const event = await revoke(connection, 'needs_reauth', fixture.clock.now());
      expect(event).toMatchObject({
        type: 'connection.needs_reauth',
        connectionId: connection.id,
        tenant: 'acme',
        data: { code: 'needs_reauth', providerCode: 'app_uninstalled' },
      });
      expect(first().events).toHaveLength(told); // the caller emits it
      expect(await first().repository.loadAll(connection)).toEqual([]);
      expect(await statusOf(connection)).toMatchObject({
        status: 'needs_reauth',
        error: { code: 'needs_reauth', providerCode: 'app_uninstalled' },
      });
      expect(await revoke(connection, 'needs_reauth', fixture.clock.now())).toBeUndefined();
    });

    it('can be for good', async () => {
      const connection = await fixture.connect('chat');
      expect(await revoke(connection, 'not_connected')).toMatchObject({ type: 'connection.disconnected' });
      expect(await statusOf(connection)).toMatchObject({ status: 'disconnected' });
      expect(await revoke(connection, 'needs_reauth')).toBeUndefined();
    });

    it('does not concern a connection that was made after it', async () => {
      const before = fixture.clock.now() - 2_000;
      const connection = await fixture.connect('chat');
      expect(await revoke(connection, 'needs_reauth', before)).toBeUndefined();
      expect(await statusOf(connection)).toMatchObject({ status: 'connected' });
      expect(await first().repository.loadAll(connection)).toHaveLength(2);
    });

    it('concerns one that was made in the same second, where only seconds are told', async () => {
      const connection = await fixture.connect('chat');
      const { connectedAt } = (await statusOf(connection))!;
      expect(await revoke(connection, 'needs_reauth', Math.floor(connectedAt.getTime() / 1_000) * 1_000)).toBeDefined();
    });

    it('is undone with its transaction', async () => {
      const connection = await fixture.connect('chat');
      const failing = fixture.database.dataSource.transaction(async (manager) => {
        await first().status.markRevoked(manager, connection.id, { code: 'needs_reauth', providerCode: 'x' });
        throw new Error('the handler failed');
      });
      await expect(failing).rejects.toThrow('the handler failed');
      expect(await statusOf(connection)).toMatchObject({ status: 'connected' });
      expect((await first().tokens.accessToken(connection)).version).toBe(1);
    });
  });

  describe('wished by the user', () => {
    it('runs every hook while the token still works, whatever one of them does', async () => {
      const connection = await fixture.connect('mail');
      const seen: string[] = [];
      const remove = [
        first().disconnects.beforeDisconnect(() => Promise.reject(new Error('a hook that fails'))),
        first().disconnects.beforeDisconnect(async (ended) => void seen.push((await first().tokens.accessToken(ended)).kind)),
      ];
      expect(await first().disconnects.disconnect(connection)).toEqual({ revoked: true });
      remove.forEach((off) => off());
      expect(seen).toEqual(['default']);
      expect(first().events.at(-1)).toMatchObject({ type: 'connection.disconnected', connectionId: connection.id });
    });

    it('does not wait for a hook that hangs longer than its time', async () => {
      const connection = await fixture.connect('mail');
      let aborted = false;
      const off = first().disconnects.beforeDisconnect((_, signal) => {
        signal.addEventListener('abort', () => (aborted = true));
        return new Promise(() => undefined);
      });
      const startedAt = Date.now();
      await first().disconnects.disconnect(connection);
      off();
      expect(Date.now() - startedAt).toBeLessThan(8_000);
      expect(aborted).toBe(true);
      expect(await first().repository.loadAll(connection)).toEqual([]);
    });

    it('is not held up by a renewal that hangs', async () => {
      const connection = await fixture.connect('chat');
      fixture.clock.advance(13 * 3_600_000);
      fixture.sandbox.control.addFault({ kind: 'hang', endpoint: 'oauth.v2.access' });
      const waiting = first().tokens.accessToken(connection, { kind: 'bot' });
      const startedAt = Date.now();
      const [ended] = await Promise.all([
        first().disconnects.disconnect(connection),
        expect(waiting).rejects.toMatchObject({ code: 'not_connected' }),
      ]);
      expect(ended).toEqual({ revoked: false }); // what we held had ended
      expect(Date.now() - startedAt).toBeLessThan(6_000);
      expect(await first().repository.loadAll(connection)).toEqual([]);
    });

    it('is not held up by a renewal that hangs in another process', async () => {
      const connection = await fixture.connect('chat');
      fixture.clock.advance(13 * 3_600_000);
      fixture.sandbox.control.addFault({ kind: 'hang', endpoint: 'oauth.v2.access' });
      const there = fixture.processes.at(-1)!; // on the embedded database it is the same one
      const waiting = there.tokens.accessToken(connection, { kind: 'bot' });
      const startedAt = Date.now();
      await Promise.all([first().disconnects.disconnect(connection), expect(waiting).rejects.toMatchObject({ code: 'not_connected' })]);
      expect(Date.now() - startedAt).toBeLessThan(10_000);
      expect(await first().repository.loadAll(connection)).toEqual([]);
    });

    it('works for secrets that cannot be read any more', async () => {
      const connection = await fixture.connect('mail');
      await fixture.database.dataSource.query(`UPDATE tokens SET access_token = 'v1:k1:AAAA' WHERE connection_id = $1`, [connection.id]);
      expect(await first().disconnects.disconnect(connection)).toEqual({ revoked: false });
      expect(await statusOf(connection)).toMatchObject({ status: 'disconnected' });
    });
  });
});
