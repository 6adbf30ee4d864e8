import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { startTestApp, type TestApp } from '../../../test/support/test-app';
import { inTransaction } from '../../database';
import { signStandardWebhook } from '../providers/signatures/standard-webhook.signer';
import { ConnectionStatusService } from '../connections/connection-status.service';
import { ProviderRegistry } from '../providers/provider-registry';
import { FakeRemote } from '../sync/testing/fake-remote';
import { verifyStandardWebhook } from '../providers/signatures/standard.scheme';
import { HttpReceiver } from './testing/http-receiver';
import { deliveryOf } from './testing/notification-process';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const ALL = [
  'connection.connected',
  'connection.needs_reauth',
  'connection.disconnected',
  'sync.completed',
  'sync.failed',
  'record.changed',
  'webhook.received',
];
const remote = new FakeRemote();

@Module({})
class RemoteModule {
  constructor(registry: ProviderRegistry) {
    registry.register({
      key: 'remote',
      name: 'Remote',
      configured: true,
      apiBaseUrl: 'https://api.example/',
      apiKey: { pattern: /^key_/, help: 'A key.' },
      auth: {
        parseTokenResponse: () => [],
        identify: () => Promise.resolve({ accountId: 'acc', accountName: 'Account' }),
        verifyApiKey: () => Promise.resolve({ accountId: 'acc', accountName: 'Account' }),
      },
      http: { endpoints: [], limits: {}, defaultLimits: [] },
      sync: remote.sync(),
      webhooks: {
        configured: true,
        verify: (delivery) => verifyStandardWebhook(delivery, [SECRET]),
        parse: ({ body }) => {
          const { id, type } = JSON.parse(body.toString()) as { id: string; type: string };
          return { events: [{ eventId: id, type, routingKey: 'acc' }] };
        },
      },
      actions: [],
    });
  }
}

interface Told {
  readonly type: string;
  readonly data: { readonly connectionId: string; readonly [more: string]: unknown };
}

describe('webhooks to the product', () => {
  let app: TestApp;
  let receiver: HttpReceiver;
  let database: DataSource;
  let admin: string;

  beforeAll(async () => {
    receiver = await HttpReceiver.start();
    app = await startTestApp({ sandbox: false, imports: [RemoteModule], ownsTables: true });
    database = app.app.get(DataSource);
    admin = await app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' });
  });
  afterAll(async () => {
    await app.close();
    await receiver.close();
  });

  const call = async <T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    token = admin,
  ): Promise<{ status: number; json: T }> => {
    const answer = await fetch(`${app.url}/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, json: (text === '' ? {} : JSON.parse(text)) as T };
  };
  const create = async (path: string, more: object = {}, token = admin) =>
    (await call<{ id: string; secret: string }>('POST', 'admin/destinations', { url: receiver.url(path), events: ALL, ...more }, token))
      .json;
  const told = (path: string): Told[] => receiver.at(path).map(({ body }) => JSON.parse(body.toString()) as Told);
  const until = async (what: string, holds: () => boolean) => {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 20)))
      if (holds()) return;
    throw new Error(
      `Not seen in 20 s: ${what}; told were ${JSON.stringify(receiver.received.map(({ path, body }) => `${path} ${body.toString().slice(0, 60)}`))}`,
    );
  };

  it('hears of a connection, its sync, the changed records, a webhook and the end, each signed; another tenant hears nothing', async () => {
    const stranger = await app.tokenFor({ tenant: 'other', user: 'eve', role: 'admin' });
    await create('/other', {}, stranger);
    const { id: destination, secret } = await create('/acme');
    for (let i = 0; i < 45; i++) remote.list().put(`r${i}`, { n: i });

    const user = await app.tokenFor({ tenant: 'acme', user: 'u1' });
    const connection = (await call<{ id: string }>('POST', 'connections', { provider: 'remote', apiKey: 'key_1' }, user)).json.id;
    const types = () => told('/acme').map(({ type }) => type);
    await until('the first sync and its changes', () =>
      ['connection.connected', 'sync.completed', 'record.changed'].every((type) => types().includes(type)),
    );

    const changed = told('/acme').find(({ type }) => type === 'record.changed')?.data as {
      resource: string;
      count: number;
      cursor: string;
      connectionId: string;
    };
    expect(changed).toMatchObject({ connectionId: connection, count: 45 });
    const { json: page } = await call<{ data: unknown[] }>(
      'GET',
      `connections/${connection}/records/${changed.resource}?cursor=${changed.cursor}`,
      undefined,
      user,
    );
    expect(page.data).toHaveLength(45);

    const body = JSON.stringify({ id: 'evt_1', type: 'thing.happened', more: { deep: [1] } });
    const post = () =>
      fetch(`${app.url}/webhooks/remote`, {
        method: 'POST',
        body,
        headers: {
          'content-type': 'application/json',
          ...signStandardWebhook({ id: 'm1', body, secret: SECRET, timestampMs: Date.now() }),
        },
      });
    expect([(await post()).status, (await post()).status]).toEqual([200, 200]);
    await until('the forwarded webhook', () => types().includes('webhook.received'));
    expect(
      told('/acme')
        .filter(({ type }) => type === 'webhook.received')
        .map(({ data }) => data),
    ).toMatchObject([
      {
        connectionId: connection,
        provider: 'remote',
        eventId: 'evt_1',
        type: 'thing.happened',
        payload: { id: 'evt_1', more: { deep: [1] } },
      },
    ]);

    await call('DELETE', `connections/${connection}`, undefined, user);
    await until('the end', () => types().includes('connection.disconnected'));
    for (const got of receiver.at('/acme')) expect(verifyStandardWebhook(deliveryOf(got, Date.now()), [secret])).toEqual({ ok: true });
    expect(receiver.at('/other')).toEqual([]);

    const log = await call<{ data: { status: string; type: string }[] }>(
      'GET',
      `admin/deliveries?destination=${destination}&type=sync.completed`,
    );
    expect(log.json.data).toMatchObject([{ status: 'delivered', type: 'sync.completed' }]);
    expect((await call<{ data: unknown[] }>('GET', 'admin/deliveries', undefined, stranger)).json.data).toEqual([]);
    await call('DELETE', `admin/destinations/${destination}`);
  });

  it('keeps a fact and its message both, or neither', async () => {
    const { id: destination } = await create('/together', { events: ['connection.needs_reauth'] });
    const status = app.app.get(ConnectionStatusService, { strict: false });
    const user = await app.tokenFor({ tenant: 'acme', user: 'u2' });
    const { id } = (await call<{ id: string }>('POST', 'connections', { provider: 'remote', apiKey: 'key_2' }, user)).json;
    const messages = () =>
      database.query<unknown[]>(`SELECT 1 FROM outbox WHERE type = 'connection.needs_reauth' AND connection_id = $1`, [id]);
    const stands = async () => (await call<{ status: string }>('GET', `connections/${id}`, undefined, user)).json.status;

    const failing = inTransaction(database, async (manager) => {
      await status.markNeedsReauth(id, { code: 'needs_reauth' }, manager);
      expect(await manager.query(`SELECT 1 FROM outbox WHERE connection_id = $1 AND type = 'connection.needs_reauth'`, [id])).toHaveLength(
        1,
      );
      throw new Error('the process has other plans');
    });
    await expect(failing).rejects.toThrow('other plans');
    expect([await messages(), await stands()]).toEqual([[], 'connected']);

    await status.markNeedsReauth(id, { code: 'needs_reauth' });
    expect([(await messages()).length, await stands()]).toEqual([1, 'needs_reauth']);
    await until('the message', () => told('/together').length === 1);
    await call('DELETE', `admin/destinations/${destination}`);
  });

  it('answers a webhook that cannot be noted as one that was not stored, so that it comes again', async () => {
    const user = await app.tokenFor({ tenant: 'acme', user: 'u3' });
    await call('POST', 'connections', { provider: 'remote', apiKey: 'key_3' }, user);
    const { id: destination } = await create('/inbox', { events: ['webhook.received'] });
    const body = JSON.stringify({ id: 'evt_again', type: 'thing.happened' });
    const post = async () => {
      const headers = {
        'content-type': 'application/json',
        ...signStandardWebhook({ id: 'm2', body, secret: SECRET, timestampMs: Date.now() }),
      };
      return (await fetch(`${app.url}/webhooks/remote`, { method: 'POST', body, headers })).status;
    };
    const stored = () => database.query<unknown[]>(`SELECT 1 FROM webhook_events WHERE event_id = 'evt_again'`);
    await database.query('ALTER TABLE outbox RENAME TO outbox_away');
    expect(await post()).toBeGreaterThanOrEqual(500);
    expect(await stored()).toEqual([]);
    await database.query('ALTER TABLE outbox_away RENAME TO outbox');
    expect(await post()).toBe(200);
    expect((await stored()).length).toBeGreaterThan(0);
    await until('the forwarded webhook', () => told('/inbox').length > 0);
    await call('DELETE', `admin/destinations/${destination}`);
  });

  it('writes nothing for a tenant that asked for nothing', async () => {
    const user = await app.tokenFor({ tenant: 'quiet', user: 'u1' });
    await call('POST', 'connections', { provider: 'remote', apiKey: 'key_4' }, user);
    expect(await database.query(`SELECT 1 FROM outbox WHERE tenant = 'quiet'`)).toEqual([]);
  });

  describe('the routes', () => {
    it('show a secret once, and what stands of a destination', async () => {
      const made = await create('/routes', { name: 'Mine', webhookTypes: ['remote/*'] });
      expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      const { json } = await call('GET', `admin/destinations/${made.id}`);
      expect(json).toMatchObject({ name: 'Mine', status: 'active', events: ALL, webhookTypes: ['remote/*'], secrets: 1, failures: 0 });
      expect(JSON.stringify(json)).not.toContain('whsec_');
      expect((await call('PATCH', `admin/destinations/${made.id}`, { events: ['sync.failed'] })).json).toMatchObject({
        events: ['sync.failed'],
        name: 'Mine',
      });
      expect((await call('POST', `admin/destinations/${made.id}/pause`)).json).toMatchObject({ status: 'paused', pausedReason: 'asked' });
      expect((await call('POST', `admin/destinations/${made.id}/resume`)).json).toMatchObject({ status: 'active', pausedReason: null });
      const rolled = await call<{ secret: string; secrets: number }>('POST', `admin/destinations/${made.id}/rotate-secret`, {
        overlapHours: 1,
      });
      expect(rolled.json.secrets).toBe(2);
      // What else the tenant's connections bring at that moment may be sent here too.
      const tests = () =>
        receiver.at('/routes').filter(({ body }) => (JSON.parse(body.toString()) as { type: string }).type === 'destination.test');
      const tested = await call<{ id: string; messageId: string }>('POST', `admin/destinations/${made.id}/test`);
      expect(tested.json).toMatchObject({ status: 'delivered', type: 'destination.test', responseStatus: 200 });
      expect(
        tests().map((got) =>
          [made.secret, rolled.json.secret].map((secret) => verifyStandardWebhook(deliveryOf(got, Date.now()), [secret]).ok),
        ),
      ).toEqual([[true, true]]);
      expect((await call('POST', `admin/deliveries/${tested.json.id}/resend`)).status).toBe(200);
      await until('the resent one', () => tests().length === 2);
      expect(new Set(tests().map(({ headers }) => headers['webhook-id']))).toEqual(new Set([tested.json.messageId]));
      expect((await call('POST', `admin/destinations/${made.id}/resend`, {})).json).toEqual({ resent: 0 });
      expect((await call('DELETE', `admin/destinations/${made.id}`)).status).toBe(204);
      expect((await call('GET', `admin/destinations/${made.id}`)).status).toBe(404);
      expect((await call('POST', `admin/deliveries/${tested.json.id}/resend`)).json).toMatchObject({ code: 'invalid_request' });
    });

    it.each([
      { url: 'ftp://example.com/', events: ['sync.failed'] },
      { url: 'http://example.com/', events: [] },
      { url: 'http://example.com/', events: ['anything'] },
      { url: 'http://example.com/', events: ['sync.failed'], tenant: 'other' },
      { url: 'http://example.com/', events: ['webhook.received'], webhookTypes: ['no-slash'] },
    ])('refuse %j', async (body) => {
      const answer = await call('POST', 'admin/destinations', body);
      expect([answer.status, answer.json['code']]).toEqual([400, 'invalid_request']);
    });

    it('keep tenants apart, and users out', async () => {
      const made = await create('/mine');
      const stranger = await app.tokenFor({ tenant: 'other', user: 'eve', role: 'admin' });
      const tries = [
        ['GET', ''],
        ['PATCH', '', { name: 'x' }],
        ['DELETE', ''],
        ['POST', '/pause'],
        ['POST', '/resume'],
        ['POST', '/rotate-secret', {}],
        ['POST', '/test'],
        ['POST', '/resend', {}],
      ] as const;
      for (const [method, path, body] of tries)
        expect((await call(method, `admin/destinations/${made.id}${path}`, body, stranger)).status).toBe(404);
      const { json: tested } = await call<{ id: string }>('POST', `admin/destinations/${made.id}/test`);
      expect((await call('GET', `admin/deliveries/${tested.id}`, undefined, stranger)).status).toBe(404);
      expect((await call('POST', `admin/deliveries/${tested.id}/resend`, undefined, stranger)).status).toBe(404);
      const { json: list } = await call<{ data: { id: string }[] }>('GET', 'admin/destinations', undefined, stranger);
      expect(list.data.map(({ id }) => id)).not.toContain(made.id);
      const user = await app.tokenFor({ tenant: 'acme', user: 'u1' });
      expect((await call('GET', 'admin/destinations', undefined, user)).status).toBe(403);
      await call('DELETE', `admin/destinations/${made.id}`);
    });

    it('give pages of the log, newest first', async () => {
      // told of nothing but what is sent to it here
      const made = await create('/pages', { events: ['connection.needs_reauth'] });
      const ids: string[] = [];
      for (let i = 0; i < 3; i++) ids.push((await call<{ id: string }>('POST', `admin/destinations/${made.id}/test`)).json.id);
      const first = await call<{ data: { id: string }[]; nextCursor: string }>('GET', `admin/deliveries?destination=${made.id}&limit=2`);
      const second = await call<{ data: { id: string }[] }>(
        'GET',
        `admin/deliveries?destination=${made.id}&limit=2&cursor=${first.json.nextCursor}`,
      );
      expect([...first.json.data, ...second.json.data].map(({ id }) => id)).toEqual([...ids].reverse());
      expect((await call('GET', 'admin/deliveries?cursor=abc')).json).toMatchObject({ code: 'invalid_cursor' });
    });
  });
});
