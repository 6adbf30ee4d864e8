import { AuditLog } from '../audit';
import { Logger } from '@nestjs/common';
import { v7 as uuid } from 'uuid';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { systemClock } from '../../clock';
import { HttpReceiver } from '../notifications/testing/http-receiver';
import { NotificationProcess } from '../notifications/testing/notification-process';
import { ProviderRegistry } from '../providers/provider-registry';
import { AlertEvaluator } from './alert-evaluator';
import { ALERT_RULES, type AlertRule } from './alert-rules';
import { AlertService } from './alert.service';

describe('alerts', () => {
  let database: TestDatabase;
  let receiver: HttpReceiver;
  let outgoing: NotificationProcess;
  let alerts: AlertService;

  const evaluator = (rules: readonly AlertRule[] = ALERT_RULES) =>
    new AlertEvaluator(database.dataSource, new ProviderRegistry(), outgoing.wakeUp, outgoing.outbox, rules);
  const evaluate = () => evaluator().evaluate();

  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
    receiver = await HttpReceiver.start();
    outgoing = new NotificationProcess(database, {
      clock: systemClock,
      settings: {
        alertSlackWebhookUrl: receiver.url('/slack'),
        alertWebhookUrl: receiver.url('/alerts'),
        alertWebhookSecret: 'whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0',
      },
    });
    await outgoing.operators.onApplicationBootstrap();
    alerts = new AlertService(database.dataSource, systemClock, new AuditLog(database.dataSource, systemClock));
  });
  afterAll(async () => {
    await outgoing.close();
    await receiver.close();
    await database.close();
  });
  beforeEach(async () => {
    receiver.received.length = 0;
    receiver.answers.clear();
    for (const table of ['alerts', 'request_buckets', 'webhook_events', 'webhook_refusals', 'connections', 'outbox'])
      await database.dataSource.query(`DELETE FROM ${table}`);
  });

  const serverErrors = (tenant: string, count: number) =>
    database.dataSource.query(
      `INSERT INTO request_buckets (minute, provider, tenant, connection_id, failed, server_errors) VALUES (date_trunc('minute', now()), 'acme', $1, $2, $3, $3)`,
      [tenant, uuid(), count],
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

  it('pages through alerts that were opened within one millisecond, whatever their ids', async () => {
    await database.dataSource.query(
      `INSERT INTO alerts (id, kind, key, severity, state, title, detail, next_step, opened_at)
       SELECT ('00000000-0000-7000-8000-00000000000' || 9 - n)::uuid, 'test', n::text, 'warning', 'resolved', 't', 'd', 's',
         timestamptz '2026-01-01 00:00:00.0005+00' + n * interval '100 microseconds' FROM generate_series(0, 3) n`,
    );
    const met: string[] = [];
    for (let before: { at: string; id: string } | undefined; ;) {
      const page = await alerts.list({ before, limit: 1 });
      const last = page.at(-1);
      if (!last) break;
      met.push(last.id);
      before = { at: last.openedAt, id: last.id };
    }
    expect(met).toHaveLength(4);
  });

  it('says nothing at ten server errors in five minutes and opens at the eleventh', async () => {
    await serverErrors('t1', 10);
    await evaluate();
    expect(await open()).toEqual([]);
    await serverErrors('t1', 1);
    await evaluate();
    expect(await open()).toMatchObject([{ kind: 'provider_errors', provider: 'acme', count: 11, severity: 'critical' }]);
  });

  it('repeats nothing while it lasts and closes when the errors are five minutes old', async () => {
    await serverErrors('t1', 20);
    await evaluate();
    await evaluate();
    expect(await open()).toHaveLength(1);
    await database.dataSource.query(`UPDATE request_buckets SET minute = minute - interval '6 minutes'`);
    await evaluate();
    expect(await open()).toEqual([]);
    expect(await alerts.list({ state: 'resolved', limit: 10 })).toMatchObject([
      { kind: 'provider_errors', resolvedAt: expect.any(String) as string },
    ]);
  });

  it('tells the operator when handlers fail at many events of a type, long before one of them is given up', async () => {
    const failed = (type: string, tenant: string, count: number, code: string) =>
      database.dataSource.query(
        `INSERT INTO webhook_events (id, provider, event_id, type, tenant, status, attempts, next_attempt_at, error_code)
         SELECT gen_random_uuid(), 'acme', gen_random_uuid()::text, $1, $2, 'failed', 1, now() + interval '1 hour', $4 FROM generate_series(1, $3)`,
        [type, tenant, count, code],
      );
    await failed('order.paid', 't1', 6, 'webhook_handler_failed');
    await failed('order.made', 't1', 9, 'webhook_handler_failed');
    await failed('order.made', 't1', 9, 'provider_unavailable');
    await evaluate();
    expect(await open()).toEqual([]);
    await failed('order.paid', 't2', 4, 'webhook_handler_failed');
    await evaluate();
    expect(await open()).toMatchObject([{ kind: 'handlers_failing', provider: 'acme', tenant: null, count: 10, severity: 'critical' }]);
    await database.dataSource.query(`UPDATE webhook_events SET status = 'completed' WHERE tenant = 't2'`);
    await evaluate();
    expect(await open()).toEqual([]);
  });

  it('tells the operator, and no tenant, where the errors are spread thinly over tenants', async () => {
    for (const tenant of ['t1', 't2', 't3']) await serverErrors(tenant, 5);
    await evaluate();
    expect(await open()).toMatchObject([{ kind: 'provider_errors', count: 15 }]);
    expect(await alerts.list({ tenant: 't1', limit: 10 })).toEqual([]);
  });

  it('tells the operator of deliveries that are refused for their time, until ten minutes without', async () => {
    const refusals = (cause: string, count: number) =>
      database.dataSource.query(
        `INSERT INTO webhook_refusals AS r (provider, cause, minute, count) VALUES ('acme', $1, date_trunc('minute', now()), $2)
         ON CONFLICT (provider, cause, minute) DO UPDATE SET count = r.count + excluded.count`,
        [cause, count],
      );
    await refusals('wrong_signature', 50);
    await refusals('clock_skew', 2);
    await evaluate();
    expect(await open()).toEqual([]);
    await refusals('clock_skew', 1);
    await evaluate();
    expect(await open()).toMatchObject([{ kind: 'clock_skew', provider: 'acme', severity: 'critical' }]);
    await database.dataSource.query(`UPDATE webhook_refusals SET minute = minute - interval '11 minutes'`);
    await evaluate();
    expect(await open()).toEqual([]);
  });

  it('names the parts that three tries in a row could not read, in one alert, until they are read again', async () => {
    const id = await connection('connected');
    await database.dataSource.query(
      `INSERT INTO sync_parts (connection_id, resource, partition, whole, label, failures, error_code, error_message)
       SELECT $1, lower(label), '', false, label, 2, 'provider_forbidden', 'Acme does not allow it.' FROM unnest(ARRAY['Mails', 'Tasks']) AS label`,
      [id],
    );
    await evaluate();
    expect(await open()).toEqual([]);
    await database.dataSource.query('UPDATE sync_parts SET failures = 3');
    await evaluate();
    await evaluate();
    expect(await open()).toMatchObject([
      {
        kind: 'sync_part_failing',
        connectionId: id,
        detail: 'It could not be read 3 times in a row. Mails: Acme does not allow it. Tasks: Acme does not allow it.',
      },
    ]);
    await database.dataSource.query('DELETE FROM sync_parts');
    await evaluate();
    expect(await open()).toEqual([]);
  });

  it('names the cause of a lost connection and closes when it is connected again', async () => {
    const id = await connection('needs_reauth', 'refresh_interrupted');
    await evaluate();
    const [alert] = await open();
    expect(alert).toMatchObject({ kind: 'connection_lost', connectionId: id, title: 'Connection to Acme Inc is lost' });
    expect(alert?.detail).toContain('was interrupted');
    await database.dataSource.query(`UPDATE connections SET status = 'connected', error_code = NULL`);
    await evaluate();
    expect(await open()).toEqual([]);
  });

  it('stays one alert when two processes look at the same moment', async () => {
    await connection('needs_reauth');
    await Promise.all([evaluate(), evaluate()]);
    expect(await alerts.list({ limit: 10 })).toHaveLength(1);
  });

  it('keeps an acknowledged alert acknowledged while its cause lasts, and another tenant cannot acknowledge it', async () => {
    await connection('needs_reauth');
    await evaluate();
    const [alert] = await open();
    await expect(alerts.acknowledge(alert?.id ?? '', { tenant: 't2', userId: 'eve' })).rejects.toMatchObject({ code: 'not_found' });
    await alerts.acknowledge(alert?.id ?? '', { tenant: 't1', userId: 'ann' });
    await evaluate();
    expect(await alerts.list({ limit: 10 })).toMatchObject([{ state: 'acknowledged', acknowledgedBy: 'ann' }]);
  });

  const keys = async () =>
    (await database.dataSource.query<{ key: string }[]>(`SELECT key FROM alerts WHERE state <> 'resolved' ORDER BY key`)).map(
      ({ key }) => key,
    );

  it('opens one alert a tenant and one for the operator where two tenants and calls without one are hit, and closes all of them', async () => {
    for (const tenant of ['t1', 't2', '']) await serverErrors(tenant, 20);
    await evaluate();
    expect(await keys()).toEqual(['provider_errors:acme', 'provider_errors:acme:tenant:t1', 'provider_errors:acme:tenant:t2']);
    await database.dataSource.query('DELETE FROM request_buckets');
    await evaluate();
    expect(await keys()).toEqual([]);
  });

  it("opens one alert for one tenant's trouble, however many others call without any", async () => {
    await serverErrors('t1', 20);
    await serverErrors('t2', 0);
    await serverErrors('t3', 1);
    await evaluate();
    expect(await keys()).toEqual(['provider_errors:acme:tenant:t1']);
    await outgoing.deliver();
    expect(receiver.at('/slack')).toHaveLength(1);
  });

  it('tells each destination by itself: one that fails gets its notice later, the other got it once', async () => {
    receiver.answers.set('/alerts', 503);
    await connection('needs_reauth');
    await evaluate();
    for (let i = 0; i < 4; i++) {
      await outgoing.deliver();
      await database.dataSource.query('UPDATE deliveries SET next_attempt_at = now()');
      await database.dataSource.query('UPDATE destinations SET retry_at = NULL');
    }
    expect(receiver.at('/slack')).toHaveLength(1);
    expect(receiver.at('/alerts').length).toBeGreaterThan(1);
    const failed = receiver.at('/alerts').length;
    receiver.answers.set('/alerts', 200);
    await outgoing.deliver();
    await evaluate();
    await outgoing.deliver();
    expect(receiver.at('/slack')).toHaveLength(1);
    expect(receiver.at('/alerts')).toHaveLength(failed + 1);
    expect(JSON.parse(receiver.at('/alerts').at(-1)?.body.toString() ?? '')).toMatchObject({
      type: 'alert.opened',
      data: { kind: 'connection_lost', tenant: 't1' },
    });
    expect(receiver.at('/alerts').at(-1)?.headers['webhook-signature']).toMatch(/^v1,/);
  });

  it('tells of the recovery', async () => {
    await connection('needs_reauth');
    await evaluate();
    await database.dataSource.query(`UPDATE connections SET status = 'connected'`);
    await evaluate();
    await outgoing.deliver();
    const texts = receiver.at('/slack').map(({ body }) => (JSON.parse(body.toString()) as { text: string }).text);
    expect(texts).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^Connection to Acme Inc is lost \(t1\)\..* https:\/\/trestle\.test\/admin\/alerts\/[0-9a-f-]{36}$/),
        expect.stringMatching(/^Resolved: Connection to Acme Inc is lost \(t1\)\. https:\/\/trestle\.test\/admin\/alerts\/[0-9a-f-]{36}$/),
      ]),
    );
  });

  it('tells the operator once of rows that were changed from outside, however many they are', async () => {
    await connection('connected');
    const [one, other] = [await connection('connected'), await connection('connected')];
    await database.dataSource.query('UPDATE connections SET altered_at = now() WHERE id = ANY ($1::uuid[])', [[one, other]]);
    await evaluate();
    expect(await open()).toMatchObject([{ kind: 'connection_altered', severity: 'critical', connectionId: null }]);
    await database.dataSource.query('UPDATE connections SET altered_at = NULL');
    await evaluate();
    expect(await open()).toEqual([]);
  });

  it('loses none of thousands, closes those that are over, and sends the critical first', async () => {
    await database.dataSource.query(
      `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
       SELECT gen_random_uuid(), 't1', 'u1', 'acme', n::text, 'Account ' || n, n::text, 'oauth2', 'needs_reauth' FROM generate_series(1, 2500) n`,
    );
    await evaluate();
    expect(await keys()).toHaveLength(2500);
    await database.dataSource.query(`UPDATE connections SET status = 'connected' WHERE account_id::int <= 1200`);
    await serverErrors('t1', 20);
    await evaluate();
    expect(await keys()).toHaveLength(1301);
    await outgoing.worker.wake();
    const begun = await database.dataSource.query<{ kind: string }[]>(
      `SELECT DISTINCT o.body::jsonb #>> '{data,kind}' AS kind FROM deliveries d JOIN outbox o ON o.id = d.message_id
       WHERE d.status <> 'pending' AND o.body LIKE '%"severity":"critical"%'`,
    );
    expect(begun).toEqual([{ kind: 'provider_errors' }]);
  });

  it('lets every other rule look where one fails', async () => {
    await connection('needs_reauth');
    const broken: AlertRule = {
      kind: 'broken',
      severity: 'critical',
      sql: 'SELECT 1 / 0',
      describe: () => ({ title: '', detail: '', nextStep: '' }),
    };
    await evaluator([broken, ...ALERT_RULES]).evaluate();
    expect(await open()).toMatchObject([{ kind: 'connection_lost' }]);
  });
});
