import { ERROR_KINDS, type ErrorCode } from '../../errors';

/** A condition that holds now, found by a rule. */
export interface Finding {
  key: string;
  provider: string | null;
  tenant: string | null;
  connection_id: string | null;
  count: number;
  /** What the rule's words need, e.g. the account's name or an error code. */
  about: string | null;
  code: string | null;
}

/** An alert is a query over the rows that others write anyway: it opens when the row is found and closes when it is not. */
export interface AlertRule {
  readonly kind: string;
  readonly severity: 'warning' | 'critical';
  /** Gives the columns of `Finding`, snake case; a key once. Times are the database's. */
  readonly sql: string;
  /** `name`: the provider as people write it. */
  describe(finding: Finding, name: string): { title: string; detail: string; nextStep: string };
}

const SERVER_ERRORS_ABOVE = 10;
const FAILED_SYNCS_FROM = 3;
const SKEWED_ABOVE = 2;

const RULES: readonly AlertRule[] = [
  {
    kind: 'provider_errors',
    severity: 'critical',
    // One per tenant that is hit; one for the operator (no tenant) where the trouble is not one tenant's: without a tenant, or spread over several.
    sql: `WITH hit AS (
            SELECT provider, nullif(tenant, '') AS tenant, sum(server_errors)::int AS errors FROM request_buckets
            WHERE minute > now() - interval '5 minutes' GROUP BY provider, nullif(tenant, '') HAVING sum(server_errors) > 0)
          SELECT 'provider_errors:' || provider || ':tenant:' || tenant AS key, provider, tenant, NULL::uuid AS connection_id, errors AS count, NULL AS about, NULL AS code
          FROM hit WHERE tenant IS NOT NULL AND errors > ${SERVER_ERRORS_ABOVE}
          UNION ALL
          SELECT 'provider_errors:' || provider, provider, NULL, NULL, sum(errors)::int, NULL, NULL FROM hit GROUP BY provider
          HAVING sum(errors) > ${SERVER_ERRORS_ABOVE}
            AND (coalesce(max(errors) FILTER (WHERE tenant IS NOT NULL), 0) <= ${SERVER_ERRORS_ABOVE}
              OR sum(errors) - coalesce(max(errors) FILTER (WHERE tenant IS NOT NULL), 0) > ${SERVER_ERRORS_ABOVE})`,
    describe: (f, name) => ({
      title: `${name} is failing`,
      detail: `${name} answered ${f.count} requests with server errors in the last 5 minutes.`,
      nextStep: 'See the status page of the provider; calls are retried and go on by themselves.',
    }),
  },
  {
    kind: 'provider_misconfigured',
    severity: 'critical',
    // The operator's alone: one a provider, however many connections it keeps from working.
    sql: `SELECT 'provider_misconfigured:' || provider AS key, provider, NULL AS tenant, NULL::uuid AS connection_id, count(*)::int AS count,
                 max(endpoint) AS about, max(error_code) AS code
          FROM request_log WHERE at > now() - interval '30 minutes' AND (error_code = 'provider_misconfigured' OR (error_code = 'connect_failed' AND operation = 'oauth.refresh'))
          GROUP BY provider`,
    describe: (f, name) => ({
      title: `${name} refuses how this application is set up`,
      detail: `${f.count} calls were refused in the last half hour, e.g. of ${f.about}. Connections stay as they are and work again by themselves.`,
      nextStep: `Compare the ${(f.provider ?? '').toUpperCase()}_... settings and PUBLIC_URL with what is registered at ${name}.`,
    }),
  },
  {
    kind: 'clock_skew',
    severity: 'critical',
    // The operator's alone. Only well signed deliveries are counted as this cause; a single one may be a provider's late repetition.
    sql: `SELECT 'clock_skew:' || provider AS key, provider, NULL AS tenant, NULL::uuid AS connection_id, sum(count)::int AS count, NULL AS about, NULL AS code
          FROM webhook_refusals WHERE cause = 'clock_skew' AND minute > now() - interval '10 minutes' GROUP BY provider HAVING sum(count) > ${SKEWED_ABOVE}`,
    describe: (f, name) => ({
      title: `Deliveries of ${name} are refused because of their time`,
      detail: `${f.count} well signed deliveries of the last 10 minutes were dated more than 5 minutes away from the clock of the process that received them.`,
      nextStep: 'Compare the clocks of the machines that run this service with a time server; the provider sends again what was refused.',
    }),
  },
  {
    kind: 'connection_lost',
    severity: 'warning',
    sql: `SELECT 'connection_lost:' || id AS key, provider, tenant, id AS connection_id, 1 AS count, account_name AS about, error_code AS code
          FROM connections WHERE status = 'needs_reauth'`,
    describe: (f, name) => ({
      title: `Connection to ${f.about} is lost`,
      detail: `${name}: ${sentenceOf(f.code)}`,
      nextStep: 'Its user has to reconnect the integration.',
    }),
  },
  {
    kind: 'sync_failing',
    severity: 'warning',
    sql: `SELECT 'sync_failing:' || c.id AS key, c.provider, c.tenant, c.id AS connection_id, s.failures AS count, c.account_name AS about,
                 (SELECT r.error_code FROM sync_runs r WHERE r.connection_id = c.id AND r.status = 'failed' ORDER BY r.created_at DESC LIMIT 1) AS code
          FROM sync_schedules s JOIN connections c ON c.id = s.connection_id
          WHERE s.failures >= ${FAILED_SYNCS_FROM} AND c.status = 'connected'`,
    describe: (f) => ({
      title: `Syncing ${f.about} keeps failing`,
      detail: `The last ${f.count} syncs failed: ${sentenceOf(f.code)}`,
      nextStep: 'See the sync runs of the connection; it is tried again with growing pauses.',
    }),
  },
  {
    kind: 'sync_confirmation',
    severity: 'warning',
    sql: `SELECT 'sync_confirmation:' || c.id AS key, c.provider, c.tenant, c.id AS connection_id, 1 AS count, c.account_name AS about, r.error_code AS code
          FROM sync_runs r JOIN connections c ON c.id = r.connection_id WHERE r.status = 'paused'`,
    describe: (f) => ({
      title: `A sync of ${f.about} waits for a confirmation`,
      detail: 'It would remove an unusually large share of the records.',
      nextStep: 'Look at the run; confirm it if the removal is right.',
    }),
  },
  {
    kind: 'dead_letters',
    severity: 'critical',
    sql: `SELECT 'dead_letters:' || provider || coalesce(':tenant:' || tenant, '') AS key, provider, tenant, NULL::uuid AS connection_id, count(*)::int AS count,
                 min(type) AS about, max(error_code) AS code
          FROM webhook_events WHERE status = 'dead' GROUP BY provider, tenant`,
    describe: (f, name) => ({
      title: `Events of ${name} could not be processed`,
      detail: `${f.count} ${f.count === 1 ? 'event was' : 'events were'} given up after repeated tries, e.g. of type ${f.about}.`,
      nextStep: 'See the last error of the events, mend the cause, then replay them.',
    }),
  },
  {
    kind: 'destination_paused',
    severity: 'critical',
    sql: `SELECT 'destination_paused:' || id AS key, NULL AS provider, tenant, NULL::uuid AS connection_id, failures AS count, name AS about, paused_reason AS code
          FROM destinations WHERE status = 'paused' AND paused_reason IN ('failing', 'gone')`,
    describe: (f) => ({
      title: `Webhooks to ${f.about} are paused`,
      detail: f.code === 'gone' ? 'The address answered that it is gone.' : `The address took none of the last ${f.count} deliveries.`,
      nextStep: 'Mend the address, send a test, then resume the destination: what waits is sent then.',
    }),
  },
];

/** The critical first. */
export const ALERT_RULES: readonly AlertRule[] = [...RULES].sort(
  (a, b) => Number(b.severity === 'critical') - Number(a.severity === 'critical'),
);

function sentenceOf(code: string | null): string {
  return ERROR_KINDS[(code ?? '') as ErrorCode]?.detail ?? ERROR_KINDS.needs_reauth.detail;
}
