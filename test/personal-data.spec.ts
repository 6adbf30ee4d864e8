import { DataSource } from 'typeorm';
import { connectFixture, type ConnectFixture } from '../src/integrations/connect/testing/connect-fixture';
import { Erasure, PersonalData } from '../src/integrations/connections';

const CANARY = 'canary-6f1c';
const CANARY_IN_BYTES = Buffer.from(CANARY).toString('hex');

describe('a person’s data', () => {
  let fixture: ConnectFixture;
  let database: DataSource;
  let operator: string;

  beforeAll(async () => {
    fixture = await connectFixture();
    database = fixture.app.app.get(DataSource, { strict: false });
    operator = await fixture.app.tokenFor({ tenant: 'operations', user: 'olga', role: 'operator' });
  });
  afterAll(() => fixture.close());

  const connected = async (account: string) => {
    const id = (await fixture.connect('slack', account)).searchParams.get('connection') ?? '';
    expect(id).not.toBe('');
    await plant(id);
    return id;
  };

  /** A row with the canary in every table that holds something of a connection, as it might have come there. */
  const plant = async (id: string) => {
    await database.query(`INSERT INTO record_sequences (connection_id) VALUES ($1) ON CONFLICT DO NOTHING`, [id]);
    await database.query(
      `INSERT INTO records (connection_id, resource, external_id, data, change_no)
       SELECT $1, 'notes', n::text, jsonb_build_object('text', '${CANARY}'), 1000 + n FROM generate_series(1, 1200) n ON CONFLICT DO NOTHING`,
      [id],
    );
    await database.query(
      `WITH p AS (INSERT INTO webhook_payloads (id, body) VALUES (gen_random_uuid(), '${CANARY}') RETURNING id)
       INSERT INTO webhook_events (id, payload_id, provider, event_id, type, connection_id, tenant, object_key, routing_key)
       SELECT gen_random_uuid(), p.id, c.provider, gen_random_uuid()::text, 'message', o, c.tenant, '${CANARY}', c.routing_key
       FROM p, connections c, unnest(ARRAY[c.id, NULL]) o WHERE c.id = $1`,
      [id],
    );
    await database.query(
      `INSERT INTO object_marks (connection_id, object_key, version, event_id) VALUES ($1, '${CANARY}', 1, 'x') ON CONFLICT DO NOTHING`,
      [id],
    );
    await database.query(
      `INSERT INTO sync_cursors (connection_id, resource, cursor) VALUES ($1, 'notes', '"${CANARY}"') ON CONFLICT DO NOTHING`,
      [id],
    );
    await database.query(
      `INSERT INTO outbox (id, tenant, type, connection_id, body, created_at) VALUES (gen_random_uuid(), 'acme', 'webhook.received', $1, '${CANARY}', now())`,
      [id],
    );
    await database.query(
      `INSERT INTO actions (id, tenant, user_id, route, request_hash, connection_id, operation_id, status, response, lease_until, expires_at)
       VALUES (gen_random_uuid(), 'acme', 'u1', '${CANARY}', 'x', $1, gen_random_uuid(), 'done', '${CANARY}', now(), now() + interval '1 hour')`,
      [id],
    );
    await database.query(
      `INSERT INTO alerts (id, kind, key, severity, connection_id, tenant, state, title, detail, next_step)
       VALUES (gen_random_uuid(), 'x', gen_random_uuid(), 'low', $1, 'acme', 'resolved', '${CANARY}', '', '')`,
      [id],
    );
  };

  const expectNothingLeft = async () => {
    const all = await fixture.everything();
    expect([all.includes(CANARY), all.includes(CANARY_IN_BYTES)]).toEqual([false, false]);
  };

  const lines = async (path: string, token: string) => {
    const response = await fetch(`${fixture.app.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    const text = await response.text();
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text,
      rows: text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line || '{}') as Record<string, unknown>),
    };
  };
  const audited = async (action: string) =>
    (await fixture.call('GET', `/v1/admin/audit?action=${action}`, undefined, operator)).body['data'] as {
      target: string;
      actor: { userId: string };
      outcome: string;
    }[];

  it('names every table that holds something of an organization or a connection', async () => {
    const tables = await database.query<{ name: string }[]>(
      `SELECT DISTINCT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
         AND (a.attname ~ '(^|_)(tenant|connection_id|user_id|token_id|destination_id)$') ORDER BY 1`,
    );
    const data = fixture.app.app.get(PersonalData, { strict: false });
    const known = data.registered();
    expect(tables.map(({ name }) => name).filter((name) => !known.some(({ table }) => table === name))).toEqual([]);
    for (const { table, connection, tenant, user, goesWith, pointedAtBy, stays } of known) {
      expect([table, connection ?? tenant ?? user ?? goesWith ?? pointedAtBy ?? stays]).not.toEqual([table, undefined]);
      if (goesWith) expect(known.map((other) => other.table)).toContain(goesWith);
    }
  });

  it('is kept where a connection is only ended', async () => {
    const id = await connected('T0001ACME');
    expect((await fixture.call('DELETE', `/v1/connections/${id}`)).status).toBe(200);
    expect(await fixture.everything()).toContain(CANARY_IN_BYTES);
    expect((await fixture.call('DELETE', `/v1/connections/${id}?purge=maybe`)).status).toBe(400);
  });

  it('is gone after a purge, and only what is of the connection', async () => {
    const id = await connected('T0001ACME');
    const stranger = await fixture.call('DELETE', `/v1/connections/${id}?purge=true`, undefined, fixture.tokens.other);
    expect(stranger.status).toBe(404);
    expect(await fixture.everything()).toContain(CANARY_IN_BYTES);
    expect((await fixture.call('DELETE', `/v1/connections/${id}?purge=true`)).body).toEqual({ revoked: true });
    const left = await fixture.everything();
    await expectNothingLeft();
    expect(left).not.toContain('T0001ACME');
    expect((await fixture.call('GET', `/v1/connections/${id}`)).status).toBe(404);
    expect(await audited('connection.purge')).toEqual([expect.objectContaining({ target: `connection:${id}`, outcome: 'ok' })]);
  });

  it('keeps the word that a connection has ended until it is sent, and no longer', async () => {
    const destination = await fixture.call(
      'POST',
      '/v1/admin/destinations',
      { url: 'http://127.0.0.1:9/', events: ['connection.disconnected', 'sync.completed'] },
      fixture.tokens.admin,
    );
    const { id: made } = destination.body as { id: string };
    await fixture.call('POST', `/v1/admin/destinations/${made}/pause`, undefined, fixture.tokens.admin); // what comes for it waits
    const id = await connected('T0004TOLD');
    await fixture.call('DELETE', `/v1/connections/${id}?purge=true`);
    const told = async () =>
      (
        await database.query<{ type: string; status: string }[]>(
          'SELECT m.type, d.status FROM outbox m JOIN deliveries d ON d.message_id = m.id WHERE m.connection_id = $1',
          [id],
        )
      ).map(({ type }) => type);
    expect(await told()).toEqual(['connection.disconnected']);
    await database.query(`UPDATE deliveries SET status = 'delivered' WHERE type = 'connection.disconnected'`);
    await fixture.app.app.get(Erasure, { strict: false }).sweep(90);
    expect(await told()).toEqual([]);
    await expectNothingLeft();
    await fetch(`${fixture.app.url}/v1/admin/destinations/${made}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${fixture.tokens.admin}` },
    });
  });

  it('is exported as lines, without a secret, to an administrator of the organization alone', async () => {
    const id = await connected('T0003EXPORTED');
    expect((await lines('/v1/admin/users/u1/export', fixture.tokens.user)).status).toBe(403);
    const stranger = await fixture.app.tokenFor({ tenant: 'other', user: 'boss', role: 'admin' });
    expect((await lines('/v1/admin/users/u1/export?tenant=acme', stranger)).text).not.toContain(id);
    const { status, type, text, rows } = await lines('/v1/admin/users/u1/export', fixture.tokens.admin);
    expect([status, type]).toEqual([200, expect.stringContaining('application/x-ndjson')]);
    // what the sandbox's own workspace brought is left out
    const planted = rows.filter((row) => row['kind'] !== 'record' || row['resource'] === 'notes');
    const count = (kind: string) => planted.filter((row) => row['kind'] === kind).length;
    expect({ connections: count('connection'), records: count('record'), events: count('event') }).toEqual({
      connections: 1,
      records: 1200,
      events: 1,
    });
    expect(count('audit')).toBeGreaterThan(0);
    expect(text).not.toMatch(/xox|v1:dev|access_token|token_hash/);
    expect((await audited('user.export')).map(({ target, actor }) => [target, actor.userId])).toContainEqual(['user:u1', 'boss']);
  });

  it('is gone after an erasure: connections, sessions, answers', async () => {
    expect((await fixture.call('DELETE', '/v1/admin/users/u1')).status).toBe(403);
    await fixture.call('POST', '/v1/browser-sessions', {});
    expect(await fixture.everything()).toContain(CANARY_IN_BYTES);
    expect((await fixture.call('DELETE', '/v1/admin/users/u1', undefined, fixture.tokens.admin)).body).toEqual({
      connections: 1,
      revoked: 1,
    });
    await expectNothingLeft();
    expect(await database.query(`SELECT 1 FROM browser_sessions WHERE user_id = 'u1'`)).toEqual([]);
    expect(await audited('user.erase')).toEqual([expect.objectContaining({ target: 'user:u1' })]);
  });

  it('of a whole organization is an operator’s to export and erase', async () => {
    await connected('T0002ORGANIZATION');
    expect((await fixture.call('DELETE', '/v1/admin/tenants/acme', undefined, fixture.tokens.admin)).status).toBe(403);
    expect((await lines('/v1/admin/tenants/acme/export', operator)).text).toContain(CANARY);
    expect((await fixture.call('DELETE', '/v1/admin/tenants/acme', undefined, operator)).body).toEqual({ connections: 1, revoked: 1 });
    await expectNothingLeft();
  });

  it('of ended connections is kept for a time', async () => {
    const id = await connected('T0001ACME');
    await fixture.call('DELETE', `/v1/connections/${id}`);
    const erasure = fixture.app.app.get(Erasure, { strict: false });
    await erasure.sweep(90);
    expect(await fixture.everything()).toContain(CANARY_IN_BYTES);
    await database.query(`UPDATE connections SET disconnected_at = now() - interval '91 days' WHERE id = $1`, [id]);
    await erasure.sweep(90);
    await expectNothingLeft();
  });
});
