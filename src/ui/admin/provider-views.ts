import { html, type Html, type SessionPrincipal } from '../../http-api';
import type { ConnectionHealth, Provider, ProviderSetup, SetupFinding } from '../../integrations';
import { actionForm } from '../form';
import { pill, type Tone } from '../layout';
import { table } from '../table';
import { CONNECTIONS_PATH, PROVIDERS_PATH, REQUESTS_PATH, RUNS_PATH, wholeText } from './admin-links';
import { connectionHealthCell, errorShare, maybeTime } from './health-cell';
import { statusPill } from './status-words';

const CHECKS: Readonly<Record<SetupFinding['check'], string>> = {
  credentials: 'Credentials',
  client: 'Asked the provider',
  address: 'Address of this service',
  webhooks: 'Deliveries',
  clock: 'Clock',
};
const STATES: Readonly<Record<SetupFinding['state'], readonly [Tone, string]>> = {
  ok: ['good', 'Fine'],
  attention: ['warn', 'Look at it'],
  fault: ['bad', 'To be mended'],
  unknown: ['soft', 'Not known'],
};
const BUCKETS: Readonly<Record<'provider' | 'account' | 'endpoint' | 'param', string>> = {
  provider: 'all calls together',
  account: 'each account',
  endpoint: 'each endpoint of an account',
  param: 'each value of a field',
};

export function connectionHealthTable(connections: readonly ConnectionHealth[], nowMs: number): Html {
  const rows = connections.map((row) => [
    html`<div class="wide"><a href="${CONNECTIONS_PATH}/${row.connectionId}">${row.accountName}</a></div>`,
    html`<span class="name">${row.userId ?? 'The organization'}</span>`,
    statusPill(row.connectionStatus),
    connectionHealthCell(row),
    errorShare(row.errorRate24h),
    row.requests24h.toLocaleString('en'),
    maybeTime(row.lastSuccess, nowMs),
    maybeTime(row.lastFailure, nowMs),
    html`<a href="${REQUESTS_PATH}?connection=${row.connectionId}">Requests</a> ·
      <a href="${RUNS_PATH}?connection=${row.connectionId}">Sync runs</a>`,
  ]);
  return table(
    'Connections',
    ['Account', 'Whose', 'Connection', 'Status', 'Errors', 'Requests', 'Last success', 'Last failure', 'More'],
    rows,
    'Nobody has connected this provider.',
  );
}

export function addressTable({ redirect, webhooks }: { readonly redirect?: string | null; readonly webhooks?: string | null }): Html {
  const rows = [
    ['Redirect address (OAuth)', redirect],
    ['Webhooks', webhooks],
  ].flatMap(([what, address]) => (address === undefined || address === null ? [] : [[what, wholeText(address)]]));
  return table('Addresses to register', ['For', 'Address'], rows, 'Nothing is to be registered there.');
}

/** What was looked at, with a button that asks the provider as well. */
export function setupPart({ provider, findings }: ProviderSetup, { csrfToken }: SessionPrincipal): Html {
  const rows = findings.map(({ check, state, detail, nextStep }) => [
    CHECKS[check],
    pill(...STATES[state]),
    html`<div class="wide">${detail} ${nextStep}</div>`,
  ]);
  return html`<h2 id="setup">How it is set up</h2>
    ${table('How it is set up', ['What', 'State', 'Seen'], rows, '')}
    <div class="actions">
      ${actionForm({ to: `${PROVIDERS_PATH}/${provider}/check`, label: 'Check it now', csrfToken, id: 'check' })}
      <span class="soft">Asks the provider whether it knows our client, with a code that nobody was given.</span>
    </div>`;
}

export function limitTable({ http }: Provider): Html {
  const rows = Object.entries(http.limits).map(([name, { perSecond, burst, per, keyParam }]) => [
    html`<code>${name}</code>${http.defaultLimits.includes(name) && html` <span class="soft">every call</span>`}`,
    `${perSecond.toLocaleString('en')} a second`,
    burst.toLocaleString('en'),
    html`${BUCKETS[per]}${keyParam !== undefined && html` (<code>${keyParam}</code>)`}`,
  ]);
  return table(
    'Limits',
    ['Limit', 'Sustained', 'At once', 'Counted for'],
    rows,
    'It declares no limits of its own; what it answers with is honoured.',
  );
}
