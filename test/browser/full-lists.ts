import type { PagesFixture } from '../support/pages-fixture';

export interface FilledLists {
  readonly tenant: string;
  readonly user: string;
  /** The connect page of a new session. */
  readonly connect: string;
  readonly ids: Readonly<Record<'alert' | 'connection' | 'event' | 'run' | 'request' | 'delivery' | 'destination', string>>;
}

const TENANT = '0198c7e2-6f0b-7d31-9c7a-3f1f2a9b4c5d';
const USER = 'auth0|64f0c1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8';
const NAME = `Wirtschaftsprüfungsgesellschaft-${'Nord'.repeat(12)} & Partner`;
const SENTENCE = `TypeError: Cannot read properties of undefined (reading 'customer_${'x'.repeat(60)}') while "${NAME}" was applied`;
const MANY = 60;

/** Every list as full as it gets, with names and ids as long as they are out there. */
export async function fillLists(pages: PagesFixture): Promise<FilledLists> {
  pages.sandbox.control.setAutoConsent('allow');
  const visitor = await pages.signIn({ tenant: TENANT, user: USER });
  await visitor.follow(await visitor.post('/settings/integrations/slack/connect'));
  const query = <T>(sql: string, ...params: unknown[]): Promise<T[]> => pages.dataSource.query<T[]>(sql, params);
  const one = async (sql: string, ...params: unknown[]) => (await query<{ id: string }>(sql, ...params))[0]?.id ?? '';
  await pages.eventually('the first sync', async () => (await query(`SELECT 1 FROM sync_runs WHERE status = 'succeeded'`)).length > 0);
  const connection = await one('SELECT id FROM connections');
  await query(`UPDATE connections SET account_name = $2 WHERE id = $1`, connection, NAME);
  await query(
    `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status, scopes, metadata, created_at, updated_at, connected_at, error_code)
     SELECT gen_random_uuid(), $1, $2 || n, 'stripe', 'acct_1QexampleLongAccount' || n, $3 || n, 'r' || n, 'oauth2', 'needs_reauth', '{read_write}', '{}', now(), now(), now(), 'needs_reauth'
     FROM generate_series(1, ${MANY}) n`,
    ...[TENANT, USER, NAME],
  );
  await query(
    `INSERT INTO webhook_events (id, provider, event_id, type, tenant, status, attempts, connection_id, received_at, last_error, error_code)
     SELECT gen_random_uuid(), 'slack', 'evt_1QfLongIdOfAnEventOfAProvider' || n, 'customer.subscription.pending_update_applied', $1, 'dead', 8, $2, now(), $3, 'webhook_handler_failed'
     FROM generate_series(1, ${MANY}) n`,
    ...[TENANT, connection, SENTENCE],
  );
  await query(
    `INSERT INTO sync_runs (id, connection_id, tenant, provider, type, trigger, status, resources, fetched, created, updated, deleted, total, created_at, started_at, finished_at, error_code, error_message)
     SELECT gen_random_uuid(), $2, $1, 'slack', 'incremental', 'schedule', 'failed', '{}', 1234567, 1234567, 234567, 34567, 2345678, now(), now() - interval '3 min', now(), 'provider_rejected', $3
     FROM generate_series(1, ${MANY}) n`,
    ...[TENANT, connection, SENTENCE],
  );
  await query(
    `INSERT INTO request_log (id, at, provider, tenant, connection_id, method, endpoint, status, outcome, error_code, provider_code, attempt, duration_ms, request_id, operation)
     SELECT gen_random_uuid(), now(), 'slack', $1, $2, 'POST', '/v1/organizations/:organization/projects/:project/environments/:environment/deployments', 503, 'server_error',
       'provider_unavailable', 'service_temporarily_unavailable', 3, 12345, 'req_' || repeat('a1b2', 8), 'slack.messages.sendLater'
     FROM generate_series(1, ${MANY}) n`,
    ...[TENANT, connection],
  );
  await query(
    `INSERT INTO alerts (id, kind, key, severity, provider, tenant, connection_id, state, title, detail, next_step, count)
     SELECT gen_random_uuid(), 'dead_letters', 'k' || n, 'critical', 'slack', $1, $2, 'open', 'Events of ' || $3, $4, 'Mend the handler, then replay them.', 12345
     FROM generate_series(1, ${MANY}) n`,
    ...[TENANT, connection, NAME, SENTENCE],
  );
  const destination = await one(
    `INSERT INTO destinations (id, tenant, name, url, events, status, paused_reason, paused_at, failures, failing_since, last_error, created_at, updated_at)
     SELECT gen_random_uuid(), $1, $2, 'https://integrations.' || repeat('long-', 20) || 'example.com/webhooks/trestle/' || n, '{sync.completed,sync.failed,webhook.received,connection.needs_reauth}',
       'paused', 'failing', now(), 1234, now() - interval '2 days', 'destination_failed', now(), now() FROM generate_series(1, 20) n RETURNING id`,
    ...[TENANT, NAME],
  );
  await query(
    `WITH messages AS (
       INSERT INTO outbox (id, tenant, type, connection_id, body, created_at)
       SELECT gen_random_uuid(), $1, 'connection.needs_reauth', $2, '{}', now() FROM generate_series(1, ${MANY}) RETURNING id)
     INSERT INTO deliveries (id, message_id, destination_id, tenant, type, status, attempts, response_status, error_code, log, next_attempt_at, give_up_at, created_at)
     SELECT gen_random_uuid(), id, $3, $1, 'connection.needs_reauth', 'pending', 12, 503, 'destination_failed',
       (SELECT jsonb_agg(jsonb_build_object('at', now(), 'status', 503, 'error', 'destination_failed', 'durationMs', 12345)) FROM generate_series(1, 10)),
       now() + interval '3 hours', now() + interval '1 day', now() FROM messages`,
    ...[TENANT, connection, destination],
  );
  const token = await pages.app.tokenFor({ tenant: TENANT, user: USER });
  const session = await fetch(`${pages.url}/v1/connect-sessions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ provider: 'slack', display: { user: NAME, organization: NAME } }),
  });
  const { connectUrl } = (await session.json()) as { connectUrl: string };
  return {
    tenant: TENANT,
    user: USER,
    connect: connectUrl.replace(pages.url, ''),
    ids: {
      connection,
      destination,
      alert: await one('SELECT id FROM alerts LIMIT 1'),
      event: await one('SELECT id FROM webhook_events LIMIT 1'),
      run: await one(`SELECT id FROM sync_runs WHERE status = 'failed' LIMIT 1`),
      request: await one(`SELECT id FROM request_log WHERE status = 503 LIMIT 1`),
      delivery: await one('SELECT id FROM deliveries LIMIT 1'),
    },
  };
}
