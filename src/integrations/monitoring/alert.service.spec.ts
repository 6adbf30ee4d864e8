import { v7 as uuid } from 'uuid';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import type { Clock } from '../../clock';
import { ProviderRegistry } from '../providers/provider-registry';
import { AlertService } from './alert.service';

describe('AlertService', () => {
  let database: TestDatabase;
  let alerts: AlertService;
  let now = Date.UTC(2026, 0, 10, 12, 0, 30);
  const clock: Clock = { now: () => now, sleep: () => Promise.resolve() };

  beforeAll(async () => {
    database = await createTestDatabase();
    alerts = new AlertService(database.dataSource, new ProviderRegistry(), clock);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    for (const table of ['alerts', 'request_buckets', 'webhook_events', 'connections'])
      await database.dataSource.query(`DELETE FROM ${table}`);
  });

  const serverErrors = (tenant: string, count: number) =>
    database.dataSource.query(
      `INSERT INTO request_buckets (minute, provider, tenant, connection_id, failed, server_errors) VALUES (date_trunc('minute', $1::timestamptz), 'acme', $2, $3, $4, $4)`,
      [new Date(now), tenant, uuid(), count],
    );
  const connection = async (status: string, errorCode: string | null = null) => {
    const id = uuid();
    await database.dataSource.query(
      `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status, error_code)
       VALUES ($1::uuid, 't1', 'u1', 'acme', $1::text, 'Acme Inc', $1::text, 'oauth2', $2, $3)`,
      [id, status, errorCode],
    );
    return id;
  };
  const open = () => alerts.list({ state: 'open', limit: 100 });

  it('says nothing at ten server errors in five minutes and opens at the eleventh', async () => {
    await serverErrors('t1', 10);
    await alerts.evaluate();
    expect(await open()).toEqual([]);
    await serverErrors('t1', 1);
    await alerts.evaluate();
    expect(await open()).toMatchObject([{ kind: 'provider_errors', provider: 'acme', count: 11, severity: 'critical' }]);
  });

  it('repeats nothing while it lasts and closes when the errors are five minutes old', async () => {
    await serverErrors('t1', 20);
    await alerts.evaluate();
    await alerts.evaluate();
    expect(await open()).toHaveLength(1);
    now += 6 * 60_000;
    await alerts.evaluate();
    expect(await open()).toEqual([]);
    expect(await alerts.list({ state: 'resolved', limit: 10 })).toMatchObject([
      { kind: 'provider_errors', resolvedAt: new Date(now).toISOString() },
    ]);
  });

  it('tells the operator, and no tenant, where the errors are spread thinly over tenants', async () => {
    for (const tenant of ['t1', 't2', 't3']) await serverErrors(tenant, 5);
    await alerts.evaluate();
    expect(await open()).toMatchObject([{ kind: 'provider_errors', count: 15 }]);
    expect(await alerts.list({ tenant: 't1', limit: 10 })).toEqual([]);
  });

  it('names the cause of a lost connection and closes when it is connected again', async () => {
    const id = await connection('needs_reauth', 'refresh_interrupted');
    await alerts.evaluate();
    const [alert] = await open();
    expect(alert).toMatchObject({ kind: 'connection_lost', connectionId: id, title: 'Connection to Acme Inc is lost' });
    expect(alert?.detail).toContain('was interrupted');
    await database.dataSource.query(`UPDATE connections SET status = 'connected', error_code = NULL`);
    await alerts.evaluate();
    expect(await open()).toEqual([]);
  });

  it('stays one alert when two processes look at the same moment', async () => {
    await connection('needs_reauth');
    await Promise.all([alerts.evaluate(), new AlertService(database.dataSource, new ProviderRegistry(), clock).evaluate()]);
    expect(await alerts.list({ limit: 10 })).toHaveLength(1);
  });

  it('keeps an acknowledged alert acknowledged while its cause lasts, and another tenant cannot acknowledge it', async () => {
    await connection('needs_reauth');
    await alerts.evaluate();
    const [alert] = await open();
    await expect(alerts.acknowledge(alert?.id ?? '', { tenant: 't2', userId: 'eve' })).rejects.toMatchObject({ code: 'not_found' });
    await alerts.acknowledge(alert?.id ?? '', { tenant: 't1', userId: 'ann' });
    await alerts.evaluate();
    expect(await alerts.list({ limit: 10 })).toMatchObject([{ state: 'acknowledged', acknowledgedBy: 'ann' }]);
  });
});
