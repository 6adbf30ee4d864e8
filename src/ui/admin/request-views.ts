import { html, type Html } from '../../http-api';
import type { LoggedRequest } from '../../integrations';
import { addressOf, table } from '../table';
import { duration, exactTime, timeTag } from '../time-tag';
import {
  CONNECTIONS_PATH,
  factList,
  idLink,
  providerLink,
  providerName,
  REQUESTS_PATH,
  RUNS_PATH,
  tenantColumn,
  wholeId,
  type Facts,
  type ViewContext,
} from './admin-links';
import { statusPill } from './status-words';

/** A run that called then is looked for this long before the call. */
const RUN_MS = 86_400_000;

export function requestTable(requests: readonly LoggedRequest[], context: ViewContext): Html {
  const { nowMs, caller } = context;
  const tenants = tenantColumn(caller);
  const rows = requests.map((request) => [
    html`<a href="${REQUESTS_PATH}/${request.id}">${timeTag(request.at, nowMs)}</a>`,
    providerName(request.provider, context),
    ...tenants.cell(request.tenant),
    idLink(CONNECTIONS_PATH, request.connectionId),
    html`<div class="wide"><code>${request.method} ${request.endpoint}</code><br /><span class="soft">${request.operation}</span></div>`,
    request.status ?? '–',
    statusPill(request.outcome),
    request.errorCode && html`<code class="name">${request.providerCode ?? request.errorCode}</code>`,
    request.attempt,
    duration(request.durationMs),
  ]);
  const headings = ['At', 'Provider', ...tenants.heading, 'Connection', 'Call', 'Status', 'Outcome', 'Error', 'Try', 'Took'];
  return table('Requests to the providers', headings, rows, 'No request matches.');
}

/** One try of a call in full, with the way to the runs that may have made it. */
export function requestFacts(request: LoggedRequest, context: ViewContext): Html {
  const { nowMs } = context;
  const { connectionId } = request;
  const facts: Facts = [
    ['Request', wholeId(request.id)],
    ['At', exactTime(request.at, nowMs)],
    ['Provider', providerLink(request.provider, context)],
    ['Organization', request.tenant],
    ['Connection', connectionId !== null && html`<a href="${CONNECTIONS_PATH}/${connectionId}">${connectionId}</a>`],
    ['Call', html`<code>${request.method} ${request.endpoint}</code>`],
    ['Operation', request.operation],
    ['Status', request.status],
    ['Outcome', statusPill(request.outcome)],
    ['Error', request.errorCode && html`<code>${request.errorCode}</code>`],
    ["The provider's code", request.providerCode && html`<code>${request.providerCode}</code>`],
    ["The provider's id of the request", request.requestId && wholeId(request.requestId)],
    ['Try', request.attempt],
    ['Took', duration(request.durationMs)],
  ];
  return html`<div class="card">${factList(facts)}</div>
    ${connectionId !== null && around(request, connectionId)}`;
}

function around({ at }: LoggedRequest, connection: string): Html {
  const time = Date.parse(at);
  const [from, to] = [new Date(time - RUN_MS).toISOString(), new Date(time + 1).toISOString()];
  return html`<p>
    <a href="${addressOf(RUNS_PATH, { connection, from, to })}">Sync runs of the day before it</a> ·
    <a href="${addressOf(REQUESTS_PATH, { connection, to })}">Requests of this connection up to it</a>
  </p>`;
}
