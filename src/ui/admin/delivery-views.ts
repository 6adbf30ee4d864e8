import { html, type Html, type SessionPrincipal } from '../../http-api';
import type { Delivery, DeliveryDetail } from '../../integrations';
import { actionForm, rowButton, rowsForm } from '../form';
import { table } from '../table';
import { duration, exactTime, timeTag } from '../time-tag';
import {
  ALERTS_PATH,
  CONNECTIONS_PATH,
  DELIVERIES_PATH,
  DESTINATIONS_PATH,
  EVENTS_PATH,
  factList,
  idLink,
  RUNS_PATH,
  tenantColumn,
  wholeId,
  type Facts,
} from './admin-links';
import { statusPill } from './status-words';

export interface DeliveryContext {
  readonly nowMs: number;
  readonly caller: SessionPrincipal;
  /** Undefined of one that was removed. */
  readonly nameOf: (destinationId: string) => string | undefined;
}

const SUBJECT_PAGES = {
  webhook_event: [EVENTS_PATH, 'the webhook event'],
  sync_run: [RUNS_PATH, 'the sync run'],
  alert: [ALERTS_PATH, 'the alert'],
} as const;

export function deliveryTable(deliveries: readonly Delivery[], { nowMs, caller, nameOf }: DeliveryContext): Html {
  const tenants = tenantColumn(caller);
  const rows = deliveries.map((delivery) => [
    html`<a href="${DELIVERIES_PATH}/${delivery.id}">${timeTag(delivery.createdAt, nowMs)}</a>`,
    delivery.type,
    ...tenants.cell(delivery.tenant || 'the operator'),
    html`<a class="name" href="${DESTINATIONS_PATH}/${delivery.destinationId}">${nameOf(delivery.destinationId) ?? 'Removed'}</a>`,
    idLink(CONNECTIONS_PATH, delivery.connectionId),
    html`${statusPill(delivery.status)}${delivery.nextAttemptAt !== null && html`<br /><span class="soft">next try ${timeTag(delivery.nextAttemptAt, nowMs)}</span>`}`,
    delivery.attempts,
    outcomeOf(delivery),
    delivery.status !== 'sending' && rowButton(resend(delivery)),
  ]);
  const headings = ['Told of', 'Type', ...tenants.heading, 'Destination', 'Connection', 'Status', 'Tries', 'Last answer', 'Resend'];
  return html`${rowsForm(caller.csrfToken)} ${table('Deliveries', headings, rows, 'No delivery matches.')}`;
}

/** One delivery with its tries, each with what came of it. */
export function deliveryFacts(delivery: DeliveryDetail, { nowMs, caller, nameOf }: DeliveryContext): Html {
  const { connectionId, subject, destinationId } = delivery;
  const facts: Facts = [
    ['Delivery', wholeId(delivery.id)],
    ['Message (webhook-id)', wholeId(delivery.messageId)],
    ['Type', delivery.type],
    ['Organization', delivery.tenant || 'The operator'],
    ['Destination', html`<a href="${DESTINATIONS_PATH}/${destinationId}">${nameOf(destinationId) ?? 'Removed'}</a>`],
    ['Tells of', subject && html`<a href="${SUBJECT_PAGES[subject.kind][0]}/${subject.id}">${SUBJECT_PAGES[subject.kind][1]}</a>`],
    ['Connection', connectionId !== null && html`<a href="${CONNECTIONS_PATH}/${connectionId}">${connectionId}</a>`],
    ['Status', statusPill(delivery.status)],
    ['Tries', delivery.attempts],
    ['Told of', exactTime(delivery.createdAt, nowMs)],
    ['Next try', delivery.nextAttemptAt && exactTime(delivery.nextAttemptAt, nowMs)],
    ['Delivered', delivery.deliveredAt && exactTime(delivery.deliveredAt, nowMs)],
  ];
  const tries = [...delivery.tries]
    .reverse()
    .map((each) => [
      timeTag(each.at, nowMs),
      each.status ?? '–',
      each.error && html`<code>${each.error}</code>`,
      duration(each.durationMs),
    ]);
  return html`<div class="card">
      ${factList(facts)}
      <div class="actions">${delivery.status !== 'sending' && actionForm({ ...resend(delivery), csrfToken: caller.csrfToken })}</div>
    </div>
    <h2>Tries</h2>
    ${table('Tries', ['At', 'Answer', 'Error', 'Took'], tries, 'It has not been tried yet.')}`;
}

function outcomeOf({ responseStatus, error }: Delivery): Html | string | number | null {
  return error === null ? responseStatus : html`${responseStatus} <code>${error}</code>`;
}

/** What is being sent is not sent again beside itself. */
function resend({ id, status, type }: Delivery) {
  const label = status === 'pending' ? 'Send now' : 'Resend';
  return { to: `${DELIVERIES_PATH}/${id}/resend`, label, about: `${type} ${id}`, id: `resend-${id}` };
}
