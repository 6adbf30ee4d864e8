import { html, type Html } from '../../http-api';
import type { StoredEventDetail, StoredEventView } from '../../integrations';
import { actionForm } from '../form';
import { table } from '../table';
import { timeTag } from '../time-tag';
import { statusPill } from './status-words';

export const EVENTS_PATH = '/admin/webhook-events';

export interface EventContext {
  readonly nowMs: number;
  readonly csrfToken: string;
}

export function eventTable(events: readonly StoredEventView[], context: EventContext): Html {
  const rows = events.map((event) => [
    timeTag(event.receivedAt, context.nowMs),
    event.provider,
    html`<a href="${EVENTS_PATH}/${event.id}">${event.type}</a>`,
    statusPill(event.status),
    event.attempts,
    html`<code>${event.eventId}</code>`,
    html`<div class="wide">${event.lastError}</div>`,
    replayForm(event, context),
  ]);
  return table(
    'Webhook events',
    ['Received', 'Provider', 'Type', 'Status', 'Attempts', 'Event id', 'Last error', 'Replay'],
    rows,
    'No event matches.',
  );
}

/** One event in full: the payload without what is secret or personal. */
export function eventFacts(event: StoredEventDetail, context: EventContext): Html {
  const facts: readonly (readonly [string, Html | string | number | null])[] = [
    ['Provider', event.provider],
    ['Type', event.type],
    ['Event id', event.eventId],
    ['Status', statusPill(event.status)],
    ['Attempts', event.attempts],
    ['Received', timeTag(event.receivedAt, context.nowMs)],
    ['Processed', event.processedAt && timeTag(event.processedAt, context.nowMs)],
    ['Next attempt', event.nextAttemptAt && html`<time datetime="${event.nextAttemptAt}">${event.nextAttemptAt}</time>`],
    ['Object', event.objectKey],
    ['Connection', event.connectionId],
    ['Last error', event.lastError],
    ['Error code', event.errorCode],
  ];
  return html`<div class="card">
      <dl class="facts">
        ${facts.map(
          ([name, value]) =>
            html`<dt>${name}</dt>
              <dd>${value ?? '–'}</dd>`,
        )}
      </dl>
      <div class="actions">${replayForm(event, context)} <a href="${EVENTS_PATH}">All events</a></div>
    </div>
    <h2>Payload</h2>
    ${
      event.payload === null
        ? html`<p class="empty">No payload is kept.</p>`
        : html`<div class="scroll" role="region" aria-label="Payload" tabindex="0">
            <pre>${JSON.stringify(event.payload, null, 2)}</pre>
          </div>`
    }`;
}

/** What waits or runs is processed anyway. */
function replayForm({ id, status, type, eventId }: StoredEventView, { csrfToken }: EventContext): Html | null {
  if (status === 'received' || status === 'processing') return null;
  return actionForm({ to: `${EVENTS_PATH}/${id}/replay`, label: 'Replay', about: `${type} ${eventId}`, csrfToken, id: `replay-${id}` });
}
