import { ERROR_KINDS, type ErrorCode } from '../../errors';
import type { Provider } from '../contract';
import { ALTERED_CONNECTIONS, LOST_CONNECTIONS } from '../connections';
import { PAUSED_DESTINATIONS } from '../notifications';
import { failingProviders, MISCONFIGURED_PROVIDERS } from '../outbound';
import { failingParts, failingSyncs, PAUSED_RUNS } from '../sync';
import { DEAD_EVENTS, failingHandlers, FOUND_AT_MOST, skewedDeliveries } from '../webhooks';

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
  /** From the folder whose rows they are. Gives the columns of `Finding`; a key once. Times are the database's. */
  readonly sql: string;
  /** `name`: the provider as people write it; `provider` where there still is one. */
  describe(finding: Finding, name: string, provider?: Provider): { title: string; detail: string; nextStep: string };
}

const SERVER_ERRORS_ABOVE = 10;
const FAILED_SYNCS_FROM = 3;
const SKEWED_ABOVE = 2;
const FAILED_EVENTS_FROM = 10;

const RULES: readonly AlertRule[] = [
  {
    kind: 'provider_errors',
    severity: 'critical',
    sql: failingProviders(SERVER_ERRORS_ABOVE),
    describe: (f, name) => ({
      title: `${name} is failing`,
      detail: `${f.count} requests to ${name} failed in the last 5 minutes: by server errors, or held back since it fails.`,
      nextStep: 'See the status page of the provider; calls are retried and go on by themselves.',
    }),
  },
  {
    kind: 'provider_misconfigured',
    severity: 'critical',
    sql: MISCONFIGURED_PROVIDERS,
    describe: (f, name, provider) => ({
      title: `${name} refuses how this application is set up`,
      detail: `${f.count} calls were refused in the last half hour, the last with "${f.code}" at ${f.about}. Connections stay as they are and work again by themselves.`,
      nextStep: settingToMend(f, name, provider),
    }),
  },
  {
    kind: 'clock_skew',
    severity: 'critical',
    sql: skewedDeliveries(SKEWED_ABOVE),
    describe: (f, name) => ({
      title: `Deliveries of ${name} are refused because of their time`,
      detail: `${f.count} well signed deliveries of the last 10 minutes were dated more than 5 minutes away from the clock of the process that received them.`,
      nextStep: 'Compare the clocks of the machines that run this service with a time server; the provider sends again what was refused.',
    }),
  },
  {
    kind: 'connection_lost',
    severity: 'warning',
    sql: LOST_CONNECTIONS,
    describe: (f, name) => ({
      title: `Connection to ${f.about} is lost`,
      detail: `${name}: ${sentenceOf(f.code)}`,
      nextStep: 'Its user has to reconnect the integration.',
    }),
  },
  {
    kind: 'connection_altered',
    severity: 'critical',
    sql: ALTERED_CONNECTIONS,
    describe: (f) => ({
      title: 'Rows of connections were changed from outside',
      detail: `${f.count} ${f.count === 1 ? 'connection does' : 'connections do'} not fit the seal over whose they are, e.g. ${f.about}. They are not used; their tokens are kept.`,
      nextStep: 'Find out who changed them in the database, and restore the rows from a backup: they work again at once.',
    }),
  },
  {
    kind: 'sync_failing',
    severity: 'warning',
    sql: failingSyncs(FAILED_SYNCS_FROM),
    describe: (f, name) =>
      f.code === 'provider_rate_limited'
        ? {
            title: `Syncing ${f.about} is held back: ${name} asks us to slow down`,
            detail: `The last ${f.count} syncs did not end, as ${name} takes no more calls at a time.`,
            nextStep: `It is tried again with growing pauses. See what else uses the account, or ask ${name} for higher limits.`,
          }
        : {
            title: `Syncing ${f.about} keeps failing`,
            detail: `The last ${f.count} syncs failed: ${sentenceOf(f.code)}`,
            nextStep: 'See the sync runs of the connection; it is tried again with growing pauses.',
          },
  },
  {
    kind: 'sync_part_failing',
    severity: 'warning',
    sql: failingParts(FAILED_SYNCS_FROM),
    describe: (f, name) => ({
      title: `A part of a connection to ${name} is not synced`,
      detail: `It could not be read ${f.count} times in a row. ${f.about ?? sentenceOf(f.code)}`,
      nextStep:
        'Everything else is up to date. It is tried again with growing pauses, at once when somebody starts a sync; its user may have to give the permission again.',
    }),
  },
  {
    kind: 'sync_confirmation',
    severity: 'warning',
    sql: PAUSED_RUNS,
    describe: (f) => ({
      title: `A sync of ${f.about} waits for a confirmation`,
      detail: 'It would remove an unusually large share of the records.',
      nextStep: 'Look at the run; confirm it if the removal is right.',
    }),
  },
  {
    kind: 'handlers_failing',
    severity: 'critical',
    sql: failingHandlers(FAILED_EVENTS_FROM),
    describe: (f, name) => ({
      title: `Handlers of ${name}'s ${f.about} fail`,
      detail: `${eventsOf(f)} have failed and wait for another try.`,
      nextStep: 'See the failed events and their errors, and mend the handler: they are tried again by themselves.',
    }),
  },
  {
    kind: 'dead_letters',
    severity: 'critical',
    sql: DEAD_EVENTS,
    describe: (f, name) => ({
      title: `Events of ${name} could not be processed`,
      detail: `${eventsOf(f)} ${f.count === 1 ? 'was' : 'were'} given up after repeated tries, e.g. of type ${f.about}.`,
      nextStep: 'See the last error of the events, mend the cause, then replay them.',
    }),
  },
  {
    kind: 'destination_paused',
    severity: 'critical',
    sql: PAUSED_DESTINATIONS,
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

/** The one setting that the code speaks of, as the provider says or as RFC 6749 has it. */
function settingToMend({ provider: key, code }: Finding, name: string, provider?: Provider): string {
  const prefix = (key ?? '').toUpperCase().replaceAll('-', '_');
  const setting = provider?.mendedBy?.[code ?? ''] ?? STANDARD_SETTINGS[code ?? '']?.(prefix);
  return setting === undefined
    ? `Look the code up at ${name}, and compare ${prefix}_CLIENT_ID, ${prefix}_CLIENT_SECRET and PUBLIC_URL with what is registered there.`
    : `Mend ${setting}: compare it with what is registered at ${name}.`;
}

const STANDARD_SETTINGS: Readonly<Record<string, (prefix: string) => string>> = {
  invalid_client: (prefix) => `${prefix}_CLIENT_SECRET`,
  unauthorized_client: (prefix) => `${prefix}_CLIENT_ID`,
  redirect_uri_mismatch: () => 'PUBLIC_URL',
};

function eventsOf({ count }: Finding): string {
  return `${count}${count >= FOUND_AT_MOST ? ' or more' : ''} ${count === 1 ? 'event' : 'events'}`;
}

function sentenceOf(code: string | null): string {
  return ERROR_KINDS[(code ?? '') as ErrorCode]?.detail ?? ERROR_KINDS.needs_reauth.detail;
}
