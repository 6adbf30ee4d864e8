import { Controller, Get, Post } from '@nestjs/common';
import { z } from 'zod';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { ExecutionRepository } from '../src/integrations/operations/execution.repository';
import { AlertService } from '../src/integrations/monitoring/alert.service';
import { Answer, BrowserSessions, CurrentUser, requestContext, type Principal } from '../src/http-api';
import { AuditLog } from '../src/integrations/audit';
import { asService, asTenant, inTransaction } from '../src/database';
import { ConnectFlowRepository } from '../src/integrations/connect/connect-flow.repository';
import { ConnectionRepository, ConnectionSeals, PersonalData } from '../src/integrations/connections';
import { ConnectionStream } from '../src/integrations/sync/feed/connection-stream';
import { DeliveryList } from '../src/integrations/notifications/delivery.list';
import { DestinationService } from '../src/integrations/notifications/destination.service';
import { DestinationTester } from '../src/integrations/notifications/destination-tester';
import { ProviderHealthService } from '../src/integrations/monitoring/provider-health.service';
import { RecordFeed } from '../src/integrations/sync/feed/record-feed';
import { RequestLogReader } from '../src/integrations/outbound';
import { ScheduleRepository } from '../src/integrations/sync/runs/schedule.repository';
import { SyncService } from '../src/integrations/sync/runs/sync.service';
import { EventSums, WebhookEventList, WebhookReplay } from '../src/integrations/webhooks';
import { startTestApp, type TestApp } from './support/test-app';

const THEIRS = 'acme';
const ASKS: Principal = { tenant: 'globex', userId: 'u1', role: 'admin' };

/** A door whose statements name no organization at all. */
@Controller('v1/forgetful')
class ForgetfulController {
  constructor(private readonly dataSource: DataSource) {}

  @Answer(z.any())
  @Get()
  async read(@CurrentUser() _: Principal) {
    return this.tenants(await this.dataSource.query('SELECT tenant FROM connections'));
  }

  @Answer(z.any())
  @Post()
  async change(@CurrentUser() _: Principal) {
    const [changed] = (await this.dataSource.query(`UPDATE connections SET account_name = 'changed' RETURNING tenant`)) as [
      { tenant: string }[],
    ];
    return this.tenants(changed);
  }

  @Answer(z.any())
  @Post('transaction')
  async transaction(@CurrentUser() _: Principal) {
    return inTransaction(this.dataSource, async (manager) => {
      await manager.query(`UPDATE connections SET account_name = 'changed'`);
      return this.tenants(await manager.query(`SELECT tenant FROM connections WHERE account_name = 'changed'`));
    });
  }

  private tenants(rows: readonly { tenant: string }[]) {
    return { tenants: rows.map(({ tenant }) => tenant).sort() };
  }
}

describe('a statement that forgets whose rows it is for', () => {
  let app: TestApp;
  let database: DataSource;
  /** Of the organization that does not ask; every id below is its own. */
  let connection: string;
  const ids = { run: uuidv7(), event: uuidv7(), alert: uuidv7(), destination: uuidv7(), message: uuidv7(), delivery: uuidv7() };

  beforeAll(async () => {
    app = await startTestApp({
      sandbox: false,
      settings: { WORKERS: 'false' },
      imports: [{ module: class Forgetful {}, controllers: [ForgetfulController] }],
    });
    database = app.app.get(DataSource, { strict: false });
    await plant('globex', uuidv7());
    connection = await plant(THEIRS, uuidv7());
    await app.app.get(ConnectionSeals, { strict: false }).sealUnsealed();
    await plantMore();
  });
  afterAll(() => app.close());

  async function plant(tenant: string, id: string): Promise<string> {
    await database.query(
      `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
       VALUES ($1, $2, 'u1', 'slack', 'T1', 'as it was', 'T1', 'oauth2', 'connected')`,
      [id, tenant],
    );
    await database.query('INSERT INTO browser_sessions (id_hash, tenant, user_id, expires_at) VALUES ($1, $1, $2, $3)', [
      tenant,
      'u1',
      new Date(Date.now() + 3_600_000),
    ]);
    return id;
  }

  async function plantMore(): Promise<void> {
    const run = (sql: string, params: unknown[]) => database.query(sql, params);
    const payload = `${ids.event.slice(0, 15)}${uuidv7().slice(15)}`;
    await run('INSERT INTO record_sequences (connection_id, last_change) VALUES ($1, 1)', [connection]);
    await run(`INSERT INTO records (connection_id, resource, external_id, data, change_no) VALUES ($1, 'notes', 'x', '{}', 1)`, [
      connection,
    ]);
    await run(
      `INSERT INTO sync_schedules (connection_id, next_incremental_at, next_full_at, next_due_at) VALUES ($1, now() + interval '1 day', now() + interval '1 day', now() + interval '1 day')`,
      [connection],
    );
    await run(
      `INSERT INTO sync_runs (id, connection_id, tenant, provider, type, trigger, status) VALUES ($1, $2, $3, 'slack', 'full', 'manual', 'paused')`,
      [ids.run, connection, THEIRS],
    );
    await run(`INSERT INTO webhook_payloads (id, body) VALUES ($1, '{}')`, [payload]);
    await run(
      `INSERT INTO webhook_events (id, payload_id, provider, event_id, type, connection_id, tenant, status) VALUES ($1, $2, 'slack', 'e', 'message', $3, $4, 'dead')`,
      [ids.event, payload, connection, THEIRS],
    );
    await run(
      `INSERT INTO alerts (id, kind, key, severity, connection_id, tenant, state, title, detail, next_step) VALUES ($1, 'k', 'k', 'error', $2, $3, 'open', 't', 'd', 'n')`,
      [ids.alert, connection, THEIRS],
    );
    await run(
      `INSERT INTO request_log (id, at, provider, tenant, connection_id, method, endpoint, outcome, attempt, duration_ms) VALUES ($1, now(), 'slack', $3, $2, 'GET', '/', 'ok', 1, 1)`,
      [uuidv7(), connection, THEIRS],
    );
    await run(
      `INSERT INTO request_buckets (minute, provider, tenant, connection_id, ok) VALUES (date_trunc('minute', now()), 'slack', $2, $1, 5)`,
      [connection, THEIRS],
    );
    await run(`INSERT INTO figures (tenant, slot, provider, ok) VALUES ($1, now(), 'slack', 5)`, [THEIRS]);
    await run(
      `INSERT INTO destinations (id, tenant, name, url, events, created_at, updated_at) VALUES ($1, $2, 'n', 'http://127.0.0.1:9/', '{}', now(), now())`,
      [ids.destination, THEIRS],
    );
    await run(`INSERT INTO outbox (id, tenant, type, body, created_at) VALUES ($1, $2, 't', '{}', now())`, [ids.message, THEIRS]);
    await run(
      `INSERT INTO deliveries (id, message_id, destination_id, tenant, type, status, give_up_at, created_at) VALUES ($1, $2, $3, $4, 't', 'dead', now(), now())`,
      [ids.delivery, ids.message, ids.destination, THEIRS],
    );
    await run(
      `INSERT INTO actions (id, tenant, user_id, idempotency_key, route, request_hash, connection_id, operation_id, status, lease_until, expires_at)
       VALUES ($1, $2, 'u1', 'key', 'r', 'h', $3, $1, 'done', now(), now() + interval '1 hour')`,
      [uuidv7(), THEIRS, connection],
    );
    await run(
      `INSERT INTO audit_entries (id, at, tenant, actor_tenant, actor_user, actor_role, action, target, outcome) VALUES ($1, now(), $2, $2, 'u1', 'user', 'proxy.call', 'x', 'ok')`,
      [uuidv7(), THEIRS],
    );
  }

  const get = <T>(type: abstract new (...args: never[]) => T): T => app.app.get(type as never, { strict: false });
  /** As it is within a request of the caller. */
  const asked = <T>(work: () => T): T => requestContext.run({ requestId: 'r', principal: ASKS }, work);
  const notFound = (work: () => Promise<unknown>) => expect(asked(work)).rejects.toMatchObject({ code: 'not_found' });
  const call = async (method: string, path: string, role: 'admin' | 'operator' = 'admin') => {
    const token = await app.tokenFor({ tenant: 'globex', user: 'u1', role });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(`${app.url}${path}`, { method, headers, ...(method === 'POST' && { body: '{}' }) });
    return (await response.json()) as unknown;
  };

  it('finds and changes nothing of others behind a route, read, changed or in a transaction', async () => {
    expect(await call('GET', '/v1/forgetful')).toEqual({ tenants: ['globex'] });
    expect(await call('POST', '/v1/forgetful')).toEqual({ tenants: ['globex'] });
    expect(await call('POST', '/v1/forgetful/transaction')).toEqual({ tenants: ['globex'] });
    expect(await database.query('SELECT account_name FROM connections WHERE id = $1', [connection])).toEqual([
      { account_name: 'as it was' },
    ]);
    expect(await call('GET', '/v1/forgetful', 'operator')).toEqual({ tenants: [THEIRS, 'globex'] });
  });

  it('connections and records', async () => {
    expect(await asked(() => get(ConnectionRepository).findById(connection))).toBeUndefined();
    expect(await asked(() => get(RecordFeed).read({ connectionId: connection, resource: 'notes', limit: 10 }))).toMatchObject({ data: [] });
    expect(await asked(() => get(RecordFeed).has(connection, 'notes'))).toBe(false);
    const end = new AbortController();
    const first = await asked(async () => {
      const asking = get(ConnectionStream).follow(connection, {
        until: Date.now() + 600,
        signal: end.signal,
        user: 'u1',
        goesOn: async () => true,
      });
      return (await asking.next()).done;
    });
    end.abort();
    expect(first).toBe(true);
  });

  it('syncs', async () => {
    await notFound(() => get(SyncService).confirm(ids.run));
    const sync = get(SyncService);
    await expect(asked(() => sync.request(connection, { type: 'full', trigger: 'manual' }))).rejects.toMatchObject({
      code: 'connection_not_found',
    });
    expect(await asked(() => sync.cancelFor(connection))).toBe(0);
    expect(await asked(() => sync.list({ limit: 10 }))).toEqual([]);
    await asked(() => get(ScheduleRepository).disable(connection));
    expect(await database.query('SELECT enabled FROM sync_schedules WHERE connection_id = $1', [connection])).toEqual([{ enabled: true }]);
    await expect(asked(() => get(ScheduleRepository).enable(connection))).rejects.toThrow(/row-level security/);
  });

  it('events and replays', async () => {
    expect(await asked(() => get(WebhookEventList).list({}, 10))).toEqual([]);
    await notFound(() => get(WebhookEventList).find(ids.event));
    expect(await asked(() => get(EventSums).queue())).toMatchObject({ dead: 0 });
    await notFound(() => get(WebhookReplay).one(ids.event, { name: 'x' }));
    expect(await asked(() => get(WebhookReplay).many({}, { name: 'x' }, false))).toMatchObject({ matched: 0, replayed: 0 });
  });

  it('destinations and deliveries', async () => {
    const destinations = get(DestinationService);
    expect(await asked(() => destinations.list(undefined, 10))).toEqual([]);
    await notFound(() => destinations.find(ids.destination, undefined));
    await notFound(() => destinations.update(ids.destination, undefined, { name: 'mine' }));
    await notFound(() => destinations.pause(ids.destination, undefined));
    await notFound(() => destinations.rotate(ids.destination, undefined, 0));
    await notFound(() => destinations.remove(ids.destination, undefined));
    await notFound(() => get(DestinationTester).test(ids.destination, undefined));
    await expect(
      asked(() =>
        destinations.create(
          { tenant: THEIRS, userId: 'boss', role: 'admin' },
          { name: 'n', url: 'https://example.com/', events: [], webhookTypes: [], match: null, scope: 'tenant', ordered: false },
        ),
      ),
    ).rejects.toThrow(/row-level security/);
    await expect(asked(() => get(DeliveryList).resendDead(ids.destination, THEIRS))).rejects.toThrow(/row-level security/);
    await notFound(() => get(DeliveryList).resend(ids.delivery, undefined));
  });

  it('alerts, the request log, health, the audit', async () => {
    expect(await asked(() => get(AlertService).list({ limit: 10 }))).toEqual([]);
    await notFound(() => get(AlertService).acknowledge(ids.alert, { userId: 'u1' }));
    expect(await asked(() => get(RequestLogReader).list({ limit: 10 }))).toEqual([]);
    expect(await asked(() => get(ProviderHealthService).one('slack', undefined))).toMatchObject({
      requests24h: 0,
      connections: { connected: 0 }, // the sums of all are no organization's
    });
    expect(await asked(() => get(ProviderHealthService).connections('slack', undefined, 10))).toHaveLength(1);
    expect(await asked(() => get(AuditLog).list({ limit: 10 }))).toEqual([]);
    const forged = () => get(AuditLog).record({ action: 'proxy.call', tenant: THEIRS, target: 'x' });
    await expect(asked(forged)).rejects.toThrow(/row-level security/);
  });

  it('stored actions, connect links, sessions', async () => {
    expect(await asked(() => get(ExecutionRepository).find(THEIRS, 'u1', 'key'))).toBeUndefined();
    const link = () =>
      get(ConnectFlowRepository).createSession({ tenant: THEIRS, userId: 'u1', provider: 'slack' }, new Date(0), new Date());
    await expect(asked(link)).rejects.toThrow(/row-level security/);
    expect(await asked(() => get(BrowserSessions).endAll({ userId: 'u1' }))).toBe(1);
    expect(await database.query('SELECT tenant FROM browser_sessions')).toEqual([{ tenant: THEIRS }]);
  });

  it('exports and erasures', async () => {
    const data = get(PersonalData);
    const lines: string[] = [];
    await asked(async () => {
      for await (const line of data.export({ tenant: THEIRS })) lines.push(line);
    });
    expect(lines).toEqual([]);
    await asked(() => data.erase({ tenant: THEIRS }));
    const [left] = await database.query<Record<string, number>[]>(
      `SELECT (SELECT count(*)::int FROM destinations) AS destinations, (SELECT count(*)::int FROM alerts) AS alerts, (SELECT count(*)::int FROM webhook_events) AS events, (SELECT count(*)::int FROM actions) AS actions`,
    );
    expect(left).toEqual({ destinations: 1, alerts: 1, events: 1, actions: 1 });
  });

  it('a secret, even of its own: only the service reads it', async () => {
    for (const table of ['tokens', 'token_refreshes', 'grants', 'encryption_keys'])
      await expect(asked(() => database.query(`SELECT 1 FROM ${table}`))).rejects.toThrow(/permission denied/);
    await expect(asked(() => database.query('SELECT secret FROM destination_secrets'))).rejects.toThrow(/permission denied/);
    expect(await asked(() => asService(() => database.query('SELECT tenant FROM connections ORDER BY 1')))).toHaveLength(2);
    expect(await asked(() => asTenant(database, THEIRS).query('SELECT tenant FROM connections'))).toEqual([{ tenant: THEIRS }]);
  });
});
