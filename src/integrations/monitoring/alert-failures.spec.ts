import { Logger } from '@nestjs/common';
import { Client } from 'pg';
import { v7 as uuid } from 'uuid';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { systemClock } from '../../clock';
import { HttpReceiver } from '../notifications/testing/http-receiver';
import { NotificationProcess } from '../notifications/testing/notification-process';
import { ProviderRegistry } from '../providers/provider-registry';
import { AlertEvaluator } from './alert-evaluator';
import { ALERT_RULES, type AlertRule } from './alert-rules';

const DAY_S = 86_400;

let database: TestDatabase;
let receiver: HttpReceiver;
let outgoing: NotificationProcess;
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
});
afterAll(async () => {
  await outgoing.close();
  await receiver.close();
  await database.close();
});
beforeEach(async () => {
  receiver.received.length = 0;
  receiver.answers.clear();
  for (const table of ['alerts', 'request_buckets', 'connections', 'outbox', 'deliveries'])
    await database.dataSource.query(`DELETE FROM ${table}`);
});

const evaluate = (rules: readonly AlertRule[] = ALERT_RULES) =>
  new AlertEvaluator(database.dataSource, new ProviderRegistry(), outgoing.wakeUp, outgoing.outbox, rules).evaluate();
const outage = async (...tenants: string[]) => {
  for (const tenant of tenants)
    await database.dataSource.query(
      `INSERT INTO request_buckets (minute, provider, tenant, connection_id, failed, server_errors) VALUES (date_trunc('minute', now()), 'acme', $1, $2, 20, 20)`,
      [tenant, uuid()],
    );
};
const lostConnection = () =>
  database.dataSource.query(
    `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
     VALUES ($1, 't1', 'u1', 'acme', 'a', 'Acme Inc', 'a', 'oauth2', 'needs_reauth')`,
    [uuid()],
  );
const rule = (kind: string, sql: string): AlertRule => ({
  kind,
  severity: 'critical',
  sql,
  describe: () => ({ title: kind, detail: '', nextStep: '' }),
});
const countedFrom = (from: string) =>
  `SELECT 'x' AS key, NULL::text AS provider, NULL::text AS tenant, NULL::uuid AS connection_id, count(*)::int AS count FROM ${from}`;
/** Two findings of one key: no upsert takes both. */
const TWICE = rule(
  'twice',
  `SELECT 'same' AS key, NULL::text AS provider, NULL::text AS tenant, NULL::uuid AS connection_id, 1 AS count FROM generate_series(1, 2)`,
);

it("opens an outage's alerts and tells of them, though an upsert before them fails", async () => {
  await outage('t1', 't2', '');
  await lostConnection();
  await evaluate([TWICE, ...ALERT_RULES]);
  const open = await database.dataSource.query<{ key: string; tenant: string | null }[]>(
    `SELECT key, tenant FROM alerts WHERE kind = 'provider_errors' ORDER BY key`,
  );
  expect(open).toEqual([
    { key: 'provider_errors:acme', tenant: null },
    { key: 'provider_errors:acme:tenant:t1', tenant: 't1' },
    { key: 'provider_errors:acme:tenant:t2', tenant: 't2' },
  ]);
  expect(await database.dataSource.query(`SELECT 1 FROM alerts WHERE kind = 'connection_lost'`)).toHaveLength(1);
  await outgoing.deliver();
  expect(receiver.at('/slack').map(({ body }) => (JSON.parse(body.toString()) as { text: string }).text)).toHaveLength(4);
});

// The embedded database has one session: nothing there waits for another.
(process.env['TEST_DATABASE_URL'] === undefined ? it.skip : it)(
  'lets every other rule look, and tells of what they find, where one hangs',
  async () => {
    await outage('t1');
    await lostConnection();
    const other = new Client({ connectionString: database.url });
    await other.connect();
    try {
      await other.query('BEGIN; LOCK TABLE object_marks');
      const began = performance.now();
      await evaluate([rule('locked', countedFrom('object_marks')), rule('sleeps', countedFrom('pg_sleep(600)')), ...ALERT_RULES]);
      // As long as statements may take elsewhere, each would have held up the others for half a minute.
      expect(performance.now() - began).toBeLessThan(40_000);
    } finally {
      await other.end();
    }
    const kinds = await database.dataSource.query<{ kind: string }[]>(
      `SELECT DISTINCT kind FROM alerts WHERE state = 'open' ORDER BY kind`,
    );
    expect(kinds.map(({ kind }) => kind)).toEqual(['connection_lost', 'provider_errors']);
    await outgoing.deliver();
    expect(receiver.at('/slack').length).toBeGreaterThanOrEqual(2);
  },
);

it('tells what is open while every rule fails', async () => {
  receiver.answers.set('/slack', 503);
  await lostConnection();
  await evaluate();
  await outgoing.deliver();
  receiver.answers.clear();
  await database.dataSource.query('UPDATE deliveries SET next_attempt_at = now()');
  await database.dataSource.query('UPDATE destinations SET retry_at = NULL');
  receiver.received.length = 0;
  await evaluate(ALERT_RULES.map(({ kind }) => rule(kind, 'SELECT 1 / 0')));
  await outgoing.deliver();
  expect(receiver.at('/slack')).toHaveLength(1);
});

it('tells one destination once while the other fails ten times, which has its notice over a day, and when it is back', async () => {
  receiver.answers.set('/alerts', 503);
  await lostConnection();
  await evaluate();
  let waited = 0;
  for (let tries = 1; tries <= 10; tries++) {
    await evaluate();
    await outgoing.deliver();
    const [row] = await database.dataSource.query<{ seconds: number; attempts: number }[]>(
      `SELECT extract(epoch FROM next_attempt_at - now())::float8 AS seconds, attempts FROM deliveries WHERE status NOT IN ('delivered', 'dead')`,
    );
    expect(row?.attempts).toBe(tries);
    waited += row?.seconds ?? 0;
    await database.dataSource.query(`UPDATE deliveries SET next_attempt_at = now() WHERE status NOT IN ('delivered', 'dead')`);
    await database.dataSource.query('UPDATE destinations SET retry_at = NULL');
  }
  expect([receiver.at('/slack').length, receiver.at('/alerts').length]).toEqual([1, 10]);
  // Ten tries do not use up the day that it may be away: they take hours, and there is a next one.
  expect(waited).toBeGreaterThan(DAY_S / 8);
  receiver.answers.clear();
  await outgoing.deliver();
  expect([receiver.at('/slack').length, receiver.at('/alerts').length]).toEqual([1, 11]);
});
