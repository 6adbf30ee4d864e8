import { html, type Html } from '../../http-api';
import type { StoredEventDetail, StoredEventView } from '../../integrations';
import { actionForm, rowButton, rowsForm } from '../form';
import { pill } from '../layout';
import { addressOf, table } from '../table';
import { duration, exactTime, timeTag } from '../time-tag';
import {
  CONNECTIONS_PATH,
  DELIVERIES_PATH,
  EVENTS_PATH,
  factList,
  idLink,
  providerLink,
  providerName,
  REQUESTS_PATH,
  tenantColumn,
  wholeId,
  type Facts,
  type ViewContext,
} from './admin-links';
import { statusPill } from './status-words';

/** The clocks of process and database may differ so much. */
const FORWARD_MS = 5_000;

export function eventTable(events: readonly StoredEventView[], context: ViewContext): Html {
  const tenants = tenantColumn(context.caller);
  const rows = events.map((event) => [
    timeTag(event.receivedAt, context.nowMs),
    providerName(event.provider, context),
    ...tenants.cell(event.tenant),
    html`<a class="name" href="${EVENTS_PATH}/${event.id}">${event.type}</a>`,
    statusPill(event.status),
    event.attempts,
    idLink(CONNECTIONS_PATH, event.connectionId),
    html`<code class="name">${event.eventId}</code>`,
    event.lastError && html`<div class="wide">${event.lastError}</div>`,
    isSettled(event) && rowButton(replay(event)),
  ]);
  const list = table(
    'Webhook events',
    ['Received', 'Provider', ...tenants.heading, 'Type', 'Status', 'Attempts', 'Connection', 'Event id', 'Last error', 'Replay'],
    rows,
    'No event matches.',
  );
  return html`${rowsForm(context.caller.csrfToken)} ${list}`;
}

/** One event in full: the payload without what is secret or personal. */
export function eventFacts(event: StoredEventDetail, context: ViewContext): Html {
  const { nowMs } = context;
  const { connectionId } = event;
  const facts: Facts = [
    ['Event', wholeId(event.id)],
    ['Provider', providerLink(event.provider, context)],
    ['Organization', event.tenant],
    ['Type', event.type],
    ["The provider's id", wholeId(event.eventId)],
    ['Status', statusPill(event.status)],
    ['Attempts', event.attempts],
    ['Received', exactTime(event.receivedAt, nowMs)],
    ['Processed', event.processedAt && exactTime(event.processedAt, nowMs)],
    ['Next attempt', event.nextAttemptAt && exactTime(event.nextAttemptAt, nowMs)],
    ['Object', event.objectKey],
    ['Connection', connectionId !== null && html`<a href="${CONNECTIONS_PATH}/${connectionId}">${connectionId}</a>`],
    ['Last error', event.lastError],
    ['Error code', event.errorCode],
  ];
  return html`<div class="card">
      ${factList(facts)}
      <div class="actions">
        ${isSettled(event) && actionForm({ ...replay(event), csrfToken: context.caller.csrfToken })}
        ${
          connectionId !== null &&
          html`<a href="${addressOf(REQUESTS_PATH, { connection: connectionId, from: event.receivedAt })}"
              >Requests of the connection since then</a
            >
            <a href="${toldOf(event, connectionId)}">What the product was told</a>`
        }
        <a href="${EVENTS_PATH}">All events</a>
      </div>
    </div>
    <h2>Attempts</h2>
    ${attemptTable(event, nowMs)}
    <h2>Payload</h2>
    ${
      event.payload === null
        ? html`<p class="empty">No payload is kept.</p>`
        : html`<div class="scroll" role="region" aria-label="Payload" tabindex="0">
            <pre>${JSON.stringify(event.payload, null, 2)}</pre>
          </div>`
    }`;
}

/** What was tried and when, the newest first: each attempt that failed with its error, then how it ended, or what comes. */
function attemptTable({ failures, status, attempts, processedAt, nextAttemptAt }: StoredEventDetail, nowMs: number): Html {
  const end =
    status === 'completed' && processedAt !== null
      ? [[timeTag(processedAt, nowMs), attempts, statusPill('completed'), null, null, null]]
      : status === 'processing'
        ? [['now', attempts, statusPill('processing'), null, null, null]]
        : nextAttemptAt !== null
          ? [[timeTag(nextAttemptAt, nowMs), attempts + 1, pill('soft', 'To come'), null, null, null]]
          : [];
  const failed = [...failures]
    .reverse()
    .map(({ at, attempt, durationMs, worker, code, error }) => [
      timeTag(at, nowMs),
      attempt,
      statusPill('failed'),
      durationMs === null ? null : duration(durationMs),
      worker === null ? null : html`<code class="name">${worker}</code>`,
      html`<div class="wide">${error}<br /><code>${code}</code></div>`,
    ]);
  return table('Attempts', ['At', 'Attempt', 'Outcome', 'Took', 'Worker', 'Error'], [...end, ...failed], 'It has not been tried yet.');
}

/** An event is forwarded as it is stored: a delivery of then, with its connection. */
function toldOf({ receivedAt, tenant }: StoredEventDetail, connection: string): string {
  const at = Date.parse(receivedAt);
  const [from, to] = [new Date(at - FORWARD_MS).toISOString(), new Date(at + FORWARD_MS).toISOString()];
  return addressOf(DELIVERIES_PATH, { tenant: tenant ?? undefined, connection, type: 'webhook.received', from, to });
}

/** What waits or runs is processed anyway. */
function isSettled({ status }: StoredEventView): boolean {
  return status !== 'received' && status !== 'processing';
}

function replay({ id, type, eventId }: StoredEventView) {
  return { to: `${EVENTS_PATH}/${id}/replay`, label: 'Replay', about: `${type} ${eventId}`, id: `replay-${id}` };
}
