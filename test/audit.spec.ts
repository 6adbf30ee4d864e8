import { DataSource } from 'typeorm';
import { AuditPartitions } from '../src/integrations/audit/audit-partitions';
import { IntegrationError } from '../src/errors';
import { AuditLog } from '../src/integrations/audit/audit-log';
import { Browser, connectFixture, type ConnectFixture } from '../src/integrations/connect/testing/connect-fixture';

interface Entry {
  readonly id: string;
  readonly tenant: string;
  readonly actor: { readonly tenant: string; readonly userId: string; readonly role: string };
  readonly action: string;
  readonly target: string;
  readonly outcome: string;
  readonly requestId: string | null;
  readonly ip: string | null;
}

describe('the audit', () => {
  let fixture: ConnectFixture;
  let connection: string;

  beforeAll(async () => {
    fixture = await connectFixture();
    const landed = await fixture.connect('slack', 'T0001ACME');
    connection = landed.searchParams.get('connection') ?? '';
    expect(connection).not.toBe('');
  });
  afterAll(() => fixture.close());

  const entries = async (query = '', token = fixture.tokens.admin) => {
    const { status, body } = await fixture.call('GET', `/v1/admin/audit${query}`, undefined, token);
    expect(status).toBe(200);
    return body as unknown as { data: Entry[]; nextCursor: string | null };
  };
  const operator = () => fixture.app.tokenFor({ tenant: 'operations', user: 'olga', role: 'operator' });

  it('says who connected what, for whom', async () => {
    const [entry] = (await entries('?action=connection.connect')).data;
    expect(entry).toMatchObject({
      tenant: 'acme',
      actor: { tenant: 'acme', userId: 'u1', role: 'user' },
      target: `connection:${connection}`,
      outcome: 'ok',
      requestId: expect.any(String),
      ip: '127.0.0.1',
    });
  });

  it('records what is written through the proxy, and every use of another’s connection', async () => {
    const path = `/v1/connections/${connection}/proxy/conversations.list`;
    await fixture.call('GET', path);
    expect((await entries('?action=proxy.call')).data).toEqual([]);
    await fixture.call('GET', path, undefined, fixture.tokens.admin);
    await fixture.call('POST', `/v1/connections/${connection}/proxy/chat.postMessage`, {
      channel: 'C0000000000',
      text: 'not to be found here',
    });
    const { data } = await entries('?action=proxy.call');
    expect(data.map(({ actor, target }) => [actor.userId, target])).toEqual([
      ['u1', `slack POST connection:${connection}`],
      ['boss', `slack GET connection:${connection}`],
    ]);
    expect(JSON.stringify(data)).not.toContain('not to be found here');
  });

  it('records what the proxy refuses, a read as well', async () => {
    const { status } = await fixture.call('GET', `/v1/connections/${connection}/proxy/x@evil.example`);
    expect(status).toBe(400);
    const [entry] = (await entries('?action=proxy.call')).data;
    expect(entry).toMatchObject({ actor: { userId: 'u1' }, target: `slack GET connection:${connection}`, outcome: 'destination_refused' });
  });

  it('records an operation that acts, its refusal with the code, and no read of one’s own', async () => {
    await fixture.call('GET', `/v1/connections/${connection}/slack/channels`);
    await fixture.call('POST', `/v1/connections/${connection}/slack/messages`, { channel: 'C9999NOSUCH', text: 'hello' });
    const { data } = await entries('?action=operation.run');
    expect(data).toHaveLength(1);
    expect(data[0]).toMatchObject({ actor: { userId: 'u1' }, target: expect.stringContaining(`connection:${connection}`) });
    expect(data[0]?.outcome).not.toBe('ok');
  });

  it('shows an organization its own entries only, an operator all of them, and a user none', async () => {
    expect((await fixture.call('GET', '/v1/admin/audit')).status).toBe(403);
    const stranger = await fixture.app.tokenFor({ tenant: 'other', user: 'boss', role: 'admin' });
    expect((await entries('', stranger)).data).toEqual([]);
    expect((await entries('', await operator())).data.length).toBeGreaterThanOrEqual(4);
  });

  it('is read page by page, newest first, and by actor, target and time', async () => {
    const all = (await entries('?limit=100')).data;
    const first = await entries('?limit=2');
    const second = await entries(`?limit=2&cursor=${first.nextCursor}`);
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(all.slice(0, 4).map(({ id }) => id));
    expect((await entries('?actor=boss')).data.map(({ actor }) => actor.userId)).toEqual(['boss']);
    expect((await entries(`?target=connection:${connection}`)).data.map(({ action }) => action)).toEqual(['connection.connect']);
    expect((await entries('?to=2020-01-01T00:00:00Z')).data).toEqual([]);
    expect((await fixture.call('GET', '/v1/admin/audit?action=anything', undefined, fixture.tokens.admin)).status).toBe(400);
  });

  it('is given as lines of JSON where that is asked for', async () => {
    const headers = { authorization: `Bearer ${fixture.tokens.admin}`, accept: 'application/x-ndjson' };
    const response = await fetch(`${fixture.app.url}/v1/admin/audit`, { headers });
    expect(response.headers.get('content-type')).toContain('application/x-ndjson');
    const lines = (await response.text()).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as Entry).id)).toEqual((await entries()).data.map(({ id }) => id));
  });

  it('records a disconnect with who did it', async () => {
    await fixture.call('DELETE', `/v1/connections/${connection}`, undefined, fixture.tokens.admin);
    const [entry] = (await entries('?action=connection.disconnect')).data;
    expect(entry).toMatchObject({
      tenant: 'acme',
      actor: { userId: 'boss', role: 'admin' },
      target: `connection:${connection}`,
      outcome: 'ok',
    });
  });

  it('names the organization of what an operator acts on, and the operator', async () => {
    const database = fixture.app.app.get(DataSource, { strict: false });
    const olga = await operator();
    const created = await fixture.call(
      'POST',
      '/v1/admin/destinations',
      { url: 'http://127.0.0.1:9/', events: ['connection.connected'] },
      fixture.tokens.admin,
    );
    const { id } = created.body as { id: string };
    const tested = await fixture.call('POST', `/v1/admin/destinations/${id}/test`, {}, fixture.tokens.admin);
    const delivery = (tested.body as { id: string }).id;
    await fixture.call('PATCH', `/v1/admin/destinations/${id}`, { name: 'Renamed' }, olga);
    await fixture.call('POST', `/v1/admin/destinations/${id}/pause`, undefined, olga);
    await fixture.call('POST', `/v1/admin/destinations/${id}/resume`, undefined, olga);
    await fixture.call('POST', `/v1/admin/destinations/${id}/rotate-secret`, {}, olga);
    expect((await fixture.call('POST', `/v1/admin/deliveries/${delivery}/resend`, undefined, olga)).status).toBe(200);
    expect((await fixture.call('POST', `/v1/admin/destinations/${id}/resend`, {}, olga)).status).toBe(200);
    await fetch(`${fixture.app.url}/v1/admin/destinations/${id}`, { method: 'DELETE', headers: { authorization: `Bearer ${olga}` } });
    const alert = '01980000-0000-7000-8000-000000000001';
    await database.query(
      `INSERT INTO alerts (id, kind, key, severity, tenant, state, title, detail, next_step) VALUES ($1, 'x', 'x', 'low', 'acme', 'open', '', '', '')`,
      [alert],
    );
    expect((await fixture.call('POST', `/v1/admin/alerts/${alert}/acknowledge`, undefined, olga)).status).toBe(200);
    const event = '01980000-0000-7000-8000-000000000002';
    await database.query(`INSERT INTO webhook_payloads (id, body) VALUES ($1, '')`, [event]);
    await database.query(
      `INSERT INTO webhook_events (id, provider, event_id, type, status, tenant, payload_id, received_at) VALUES ($1, 'slack', 'Ev1', 'x', 'completed', 'acme', $1, now())`,
      [event],
    );
    expect((await fixture.call('POST', `/v1/admin/webhook-events/${event}/replay`, undefined, olga)).status).toBe(200);

    // The organization's own administrator reads all of it, and who it was.
    const { data } = await entries('?actor=olga');
    expect(data.map(({ action, target, tenant, outcome }) => [action, target, tenant, outcome]).reverse()).toEqual([
      ['destination.update', `destination:${id}`, 'acme', 'ok'],
      ['destination.update', `destination:${id}`, 'acme', 'ok'],
      ['destination.update', `destination:${id}`, 'acme', 'ok'],
      ['destination.rotate-secret', `destination:${id}`, 'acme', 'ok'],
      ['delivery.resend', `delivery:${delivery}`, 'acme', 'ok'],
      ['delivery.resend', `destination:${id}`, 'acme', 'ok'],
      ['destination.delete', `destination:${id}`, 'acme', 'ok'],
      ['alert.acknowledge', `alert:${alert}`, 'acme', 'ok'],
      ['webhook.replay', `webhook-event:${event}`, 'acme', 'ok'],
    ]);
    expect(data.every(({ actor }) => actor.role === 'operator' && actor.tenant === 'operations')).toBe(true);
  });

  it('names the administrator who mends another’s connection, by link and by key', async () => {
    const landed = await fixture.connect('slack', 'T0002MENDED');
    const id = landed.searchParams.get('connection') ?? '';
    const session = await fixture.call('POST', '/v1/connect-sessions', { provider: 'slack', connectionId: id }, fixture.tokens.admin);
    const browser = new Browser();
    const { location } = await browser.press(session.body['connectUrl'] as string);
    await browser.get(await fixture.consent(location, 'T0002MENDED'));
    const [mended, connected] = (await entries(`?action=connection.connect&target=connection:${id}`)).data;
    expect(connected?.actor).toEqual({ tenant: 'acme', userId: 'u1', role: 'user' });
    expect([mended?.tenant, mended?.actor]).toEqual(['acme', { tenant: 'acme', userId: 'boss', role: 'admin' }]);
  });

  it('shows on the connect page who made the link, where it is somebody else', async () => {
    const landed = await fixture.connect('slack', 'T0003MADE');
    const id = landed.searchParams.get('connection');
    const session = await fixture.call('POST', '/v1/connect-sessions', { provider: 'slack', connectionId: id }, fixture.tokens.admin);
    const { text } = await new Browser().get(session.body['connectUrl'] as string);
    expect(text).toContain('<strong>boss</strong>');
    expect((await new Browser().get(await fixture.session('slack'))).text).not.toContain('made by');
  });

  it('is written before what no transaction holds, and told once what came of it', async () => {
    const audit = fixture.app.app.get(AuditLog, { strict: false });
    const act = { action: 'user.erase' as const, tenant: 'acme', target: 'user:begun' };
    const seen = async () => (await entries('?target=user:begun')).data.map(({ outcome }) => outcome);
    await audit.around(act, async () => expect(await seen()).toEqual(['started']));
    expect(await seen()).toEqual(['ok']);
    await expect(audit.around(act, () => Promise.reject(new IntegrationError('busy')))).rejects.toMatchObject({ code: 'busy' });
    expect(await seen()).toEqual(['busy', 'ok']);
    const database = fixture.app.app.get(DataSource, { strict: false });
    await expect(
      audit.around(act, () => database.query(`UPDATE audit_entries SET actor_user = 'x' WHERE outcome = 'started'`)),
    ).rejects.toThrow(/never changed/);
  });

  it('is kept together with its deed, or neither is', async () => {
    const audit = fixture.app.app.get(AuditLog, { strict: false });
    const database = fixture.app.app.get(DataSource, { strict: false });
    const act = { action: 'destination.update' as const, tenant: 'acme', target: 'destination:half' };
    const deed = audit.within(act, async (manager) => {
      await manager.query(`UPDATE destinations SET name = 'half'`);
      throw new IntegrationError('invalid_request');
    });
    await expect(deed).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await database.query(`SELECT 1 FROM destinations WHERE name = 'half'`)).toEqual([]);
    expect((await entries('?target=destination:half')).data.map(({ outcome }) => outcome)).toEqual(['invalid_request']);
  });

  it('is never changed, not even by a statement of SQL', async () => {
    const database = fixture.app.app.get(DataSource, { strict: false });
    await expect(database.query(`UPDATE audit_entries SET outcome = 'ok'`)).rejects.toThrow(/never changed/);
    await expect(database.query('DELETE FROM audit_entries')).rejects.toThrow(/never changed/);
  });

  it('makes its months ahead and drops those that are over', async () => {
    const partitions = fixture.app.app.get(AuditPartitions, { strict: false });
    const database = fixture.app.app.get(DataSource, { strict: false });
    await database.query(`SELECT make_audit_month('2020-03-15T00:00:00Z')`);
    await partitions.makeAhead();
    expect(await partitions.dropOld()).toEqual(['audit_entries_2020_03']);
    const months = await database.query<{ n: number }[]>(
      `SELECT count(*)::int AS n FROM pg_inherits WHERE inhparent = 'audit_entries'::regclass`,
    );
    expect(months).toEqual([{ n: 4 }]);
  });
});
