import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { startTestApp, type TestApp } from '../../../test/support/test-app';
import { ConnectionSeals } from '../connections';
import { IntegrationEvents } from '../integration-events';
import { ProviderRegistry } from '../providers/provider-registry';
import type { SyncRunView } from './runs/sync-run';
import { RealtimeRecords } from './records/realtime-records';
import { SyncScheduler } from './runs/sync-scheduler';
import type { ConnectionRef } from '../contract';
import { FakeRemote } from './testing/fake-remote';

const remote = new FakeRemote();

@Module({})
class RemoteModule {
  constructor(registry: ProviderRegistry) {
    registry.register({
      key: 'remote',
      name: 'Remote',
      configured: true,
      apiBaseUrl: 'https://api.example/',
      auth: { parseTokenResponse: () => [], identify: () => Promise.resolve({ accountId: 'a', accountName: 'a' }) },
      http: { endpoints: [], limits: {}, defaultLimits: [] },
      sync: { ...remote.sync(), eventOnly: [{ name: 'told', label: 'Told' }] },
      actions: [],
    });
  }
}

describe('the routes of the sync', () => {
  let app: TestApp;
  let user: string;
  let admin: string;
  let id: string;

  beforeAll(async () => {
    app = await startTestApp({ imports: [RemoteModule] });
    user = await app.tokenFor({ tenant: 'acme', user: 'u1' });
    admin = await app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' });
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    remote.beforePage = () => undefined;
    remote.lists.clear();
    for (let i = 0; i < 45; i++) remote.list().put(`r${String(i).padStart(4, '0')}`, { n: i });
    id = uuidv7();
    await app.app
      .get(DataSource)
      .query(
        `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status) VALUES ($1, 'acme', 'u1', 'remote', $2, 'Account', $2, 'oauth2', 'connected')`,
        [id, id],
      );
    await app.app.get(ConnectionSeals, { strict: false }).sealUnsealed();
  });

  const call = (path: string, { token = user, body }: { token?: string; body?: unknown } = {}) =>
    fetch(`${app.url}/v1/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const json = async <T>(answer: Promise<Response>) => (await answer).json() as Promise<T>;
  const eventually = async (look: () => Promise<boolean>) => {
    for (const deadline = Date.now() + 15_000; !(await look()); await new Promise((resolve) => setTimeout(resolve, 20)))
      if (Date.now() > deadline) throw new Error('It did not come to pass in time.');
  };
  const ended = async (): Promise<SyncRunView> => {
    for (const deadline = Date.now() + 15_000; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 20))) {
      const { data } = await json<{ data: SyncRunView[] }>(call(`connections/${id}/syncs`));
      if (data[0]?.finishedAt) return data[0];
    }
    throw new Error('the run did not end');
  };

  it('start a run, show it and give its records', async () => {
    const started = await call(`connections/${id}/syncs`, { body: { type: 'full' } });
    expect(started.status).toBe(202);
    expect(await started.json()).toMatchObject({ type: 'full', trigger: 'manual', counts: { fetched: 0 }, error: null });
    expect(await ended()).toMatchObject({
      status: 'succeeded',
      counts: { fetched: 45, created: 45, updated: 0, unchanged: 0, deleted: 0 },
      progress: { fetched: 45, total: 45, resource: 'items' },
    });

    const first = await json<{ data: { id: string; data: unknown }[]; nextCursor: string }>(
      call(`connections/${id}/records/items?limit=40`),
    );
    expect(first.data).toHaveLength(40);
    expect(first.data[0]).toMatchObject({ id: 'r0000', data: { n: 0 }, deleted: false });
    const rest = await json<{ data: unknown[]; nextCursor: string }>(call(`connections/${id}/records/items?cursor=${first.nextCursor}`));
    expect(rest.data).toHaveLength(5);
    expect(await json(call(`connections/${id}/records/items?cursor=${rest.nextCursor}`))).toEqual({
      data: [],
      nextCursor: rest.nextCursor,
      hasMore: false,
    });
  });

  it('answer 200 with the run that is under way', async () => {
    let release = () => undefined as void;
    remote.beforePage = () => new Promise<void>((resolve) => (release = resolve));
    const first = await json<SyncRunView>(call(`connections/${id}/syncs`, { body: { type: 'full' } }));
    const second = await call(`connections/${id}/syncs`, { body: { type: 'full' } });
    expect(second.status).toBe(200);
    expect(await second.json()).toMatchObject({ id: first.id });
    remote.beforePage = () => undefined;
    release();
    await ended();
  });

  it('queue what does more than the run under way once, whoever asks: a person, an event, a new consent, the clock', async () => {
    await call(`connections/${id}/syncs`, { body: { type: 'full' } });
    await ended();
    let release = () => undefined as void;
    const held = new Promise<void>((resolve) => (release = resolve));
    remote.beforePage = () => held;
    await call(`connections/${id}/syncs`, { body: { type: 'incremental' } });
    const listed = async () => (await json<{ data: SyncRunView[] }>(call(`connections/${id}/syncs`))).data;
    await eventually(async () => (await listed())[0]?.status === 'running');

    const asked = await call(`connections/${id}/syncs`, { body: { type: 'full' } });
    const again = await call(`connections/${id}/syncs`, { body: { type: 'full' } });
    expect([asked.status, again.status]).toEqual([202, 200]);
    const waiting = (await asked.json()) as SyncRunView;
    expect(await again.json()).toMatchObject({ id: waiting.id, status: 'queued', type: 'full' });

    const dataSource = app.app.get(DataSource);
    await dataSource.transaction((manager) =>
      app.app
        .get(RealtimeRecords, { strict: false })
        .request(manager, { id, tenant: 'acme', provider: 'remote' } as ConnectionRef, ['items']),
    );
    const told = { tenant: 'acme', provider: 'remote', connectionId: id, at: new Date(), data: {} };
    app.app.get(IntegrationEvents).emit({ type: 'connection.connected', ...told });
    await eventually(
      async () => (await dataSource.query<object[]>('SELECT 1 FROM sync_schedules WHERE connection_id = $1', [id])).length > 0,
    );
    await dataSource.query('UPDATE sync_schedules SET next_full_at = now(), next_due_at = now() WHERE connection_id = $1', [id]);
    await app.app.get(SyncScheduler, { strict: false }).queueDue();
    expect((await listed()).map((run) => [run.id === waiting.id, run.status])).toEqual([
      [true, 'queued'],
      [false, 'running'],
      [false, 'succeeded'],
    ]);
    release();
    await eventually(async () => (await listed()).every(({ status }) => status === 'succeeded'));
    expect((await listed())[0]).toMatchObject({ id: waiting.id, type: 'full', resources: [], counts: { unchanged: 45 } });
  });

  it('refuse what they do not know', async () => {
    expect((await call(`connections/${id}/syncs`, { body: { type: 'half' } })).status).toBe(400);
    expect((await call(`connections/${id}/syncs`, { body: { type: 'full', resources: ['nothing'] } })).status).toBe(400);
    expect((await call(`connections/${id}/syncs`, { body: { type: 'full', confirmed: true } })).status).toBe(400);
    expect((await call(`connections/${id}/records/nothing`)).status).toBe(404);
    expect(await json(call(`connections/${id}/records/told`))).toMatchObject({ data: [] });
    expect((await call(`connections/${id}/records/items?cursor=bm9uc2Vuc2U`)).status).toBe(400);
    await app.app.get(DataSource).query(`UPDATE connections SET status = 'needs_reauth' WHERE id = $1`, [id]);
    expect(await json(call(`connections/${id}/syncs`, { body: { type: 'full' } }))).toMatchObject({ status: 409, code: 'needs_reauth' });
  });

  it('show nothing of it to another tenant or user', async () => {
    for (const who of [
      { tenant: 'other', user: 'u1' },
      { tenant: 'acme', user: 'u2' },
      { tenant: 'other', user: 'boss', role: 'admin' as const },
    ]) {
      const token = await app.tokenFor(who);
      for (const path of ['syncs', 'records/items', 'events'])
        expect((await call(`connections/${id}/${path}`, { token })).status).toBe(404);
      expect((await call(`connections/${id}/syncs`, { token, body: { type: 'full' } })).status).toBe(404);
    }
  });

  it('list runs to admins and let them confirm what a run would remove', async () => {
    await call(`connections/${id}/syncs`, { body: { type: 'full' } });
    await ended();
    for (let i = 0; i < 40; i++) remote.list().remove(`r${String(i).padStart(4, '0')}`);
    await call(`connections/${id}/syncs`, { body: { type: 'full' } });
    const run = await ended();
    expect(run).toMatchObject({ status: 'failed', error: { code: 'confirmation_required', nextStep: expect.any(String) as string } });

    expect((await call('admin/sync-runs')).status).toBe(403);
    const { data } = await json<{ data: SyncRunView[] }>(call(`admin/sync-runs?connection=${id}&limit=1`, { token: admin }));
    expect(data).toMatchObject([{ id: run.id, connectionId: id }]);
    const stranger = await app.tokenFor({ tenant: 'other', user: 'boss', role: 'admin' });
    expect((await call(`admin/sync-runs/${run.id}/confirm`, { token: stranger, body: {} })).status).toBe(404);
    expect((await call(`admin/sync-runs/${run.id}/confirm`, { body: {} })).status).toBe(403);
    expect((await call(`admin/sync-runs/${run.id}/confirm`, { token: admin, body: {} })).status).toBe(202);
    expect(await ended()).toMatchObject({ id: run.id, status: 'succeeded', counts: { deleted: 40 } });
    expect((await call(`admin/sync-runs/${run.id}/confirm`, { token: admin, body: {} })).status).toBe(400);
  });

  it('tell of progress and changes as they happen', async () => {
    const aborted = new AbortController();
    const answer = await fetch(`${app.url}/v1/connections/${id}/events`, {
      headers: { authorization: `Bearer ${user}` },
      signal: aborted.signal,
    });
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    await call(`connections/${id}/syncs`, { body: { type: 'full' } });
    let text = '';
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      if (/event: sync\ndata: .*"status":"succeeded"/.test(text) && text.includes('event: changes\ndata: {"lastChange":45}')) break;
    }
    aborted.abort();
    expect(text).toContain('"fetched":45');
  });

  it('end their stream with the connection, and give a user ten at most', async () => {
    const open = async (aborted: AbortController, token = user) =>
      fetch(`${app.url}/v1/connections/${id}/events`, { headers: { authorization: `Bearer ${token}` }, signal: aborted.signal });
    const many = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const aborted = new AbortController();
        return { aborted, answer: await open(aborted) };
      }),
    );
    expect(many.map(({ answer }) => answer.status)).toEqual(Array.from({ length: 10 }, () => 200));
    const refused = await open(new AbortController());
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([429, 'too_many_requests']);
    const other = new AbortController();
    expect((await open(other, admin)).status).toBe(200);
    other.abort();
    many[0]?.aborted.abort();
    for (let status = 0; status !== 200;) {
      const again = new AbortController();
      ({ status } = await open(again));
      if (status !== 200) again.abort();
    }
    const ended = many.slice(1).map(async ({ answer }) => {
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) void chunk;
    });
    await app.app.get(DataSource).query(`UPDATE connections SET status = 'disconnected' WHERE id = $1`, [id]);
    await Promise.all(ended); // by the service
  });

  it('begin a full run when an account is connected, and go on from the cursors when it comes back', async () => {
    const events = app.app.get(IntegrationEvents);
    const tell = (type: 'connection.connected' | 'connection.disconnected') =>
      events.emit({ type, tenant: 'acme', provider: 'remote', connectionId: id, at: new Date(), data: {} });
    tell('connection.connected');
    expect(await ended()).toMatchObject({ type: 'full', trigger: 'connect', status: 'succeeded' });
    const [schedule] = await app.app
      .get(DataSource)
      .query<{ enabled: boolean }[]>('SELECT enabled FROM sync_schedules WHERE connection_id = $1', [id]);
    expect(schedule).toEqual({ enabled: true });
    const before = await ended();
    tell('connection.connected');
    for (let latest = before; latest.id === before.id;) latest = await ended();
    expect(await ended()).toMatchObject({ type: 'incremental', trigger: 'connect', counts: { fetched: 0 } });
  });
});
