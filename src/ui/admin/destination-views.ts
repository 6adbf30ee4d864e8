import { html, type Html, type SessionPrincipal } from '../../http-api';
import type { Destination } from '../../integrations';
import { actionForm } from '../form';
import { pill } from '../layout';
import { table } from '../table';
import { exactTime, timeTag } from '../time-tag';
import { DESTINATIONS_PATH, factList, tenantColumn, wholeId, type Facts } from './admin-links';
import { statusPill } from './status-words';

export interface DestinationContext {
  readonly nowMs: number;
  readonly caller: SessionPrincipal;
}

const REASONS: Readonly<Record<NonNullable<Destination['pausedReason']>, string>> = {
  asked: 'somebody asked for it',
  failing: 'it failed for too long',
  gone: 'it answered that it is gone (410)',
};

export function destinationTable(destinations: readonly Destination[], { nowMs, caller }: DestinationContext): Html {
  const tenants = tenantColumn(caller);
  const rows = destinations.map((destination) => [
    html`<div class="wide">
      <a href="${DESTINATIONS_PATH}/${destination.id}">${destination.name}</a><br /><code>${destination.url}</code>
    </div>`,
    ...tenants.cell(destination.tenant || 'the operator'),
    html`<div class="wide">${destination.events.join(', ')}</div>`,
    stateOf(destination),
    destination.waiting.toLocaleString('en'),
    destination.failingSince && html`${destination.failures.toLocaleString('en')} since ${timeTag(destination.failingSince, nowMs)}`,
    destination.lastError && html`<code class="name">${destination.lastError}</code>`,
    html`<div class="buttons">${testForm(destination, caller)} ${pauseForm(destination, caller)}</div>`,
  ]);
  const headings = ['Destination', ...tenants.heading, 'Events', 'State', 'Waiting', 'Failures in a row', 'Last error', 'Do'];
  return table('Destinations', headings, rows, 'No destination has been added.');
}

export function destinationFacts(destination: Destination, { nowMs, caller }: DestinationContext): Html {
  const { pausedAt, failingSince, webhookTypes, secrets } = destination;
  const facts: Facts = [
    ['Destination', wholeId(destination.id)],
    ['Name', destination.name],
    ['Address', html`<code>${destination.url}</code>`],
    ['Organization', destination.tenant || 'The operator'],
    ['State', html`${stateOf(destination)} ${pausedAt && exactTime(pausedAt, nowMs)}`],
    ['Events', destination.events.join(', ')],
    ['Hears of', destination.scope === 'all' ? 'All organizations' : 'Its organization'],
    ['In order', destination.ordered ? 'Messages about the same object come in their order' : 'No'],
    ['Types of webhooks', webhookTypes.length === 0 ? 'All' : webhookTypes.join(', ')],
    ['Waiting', destination.waiting.toLocaleString('en')],
    ['Failures in a row', destination.failures.toLocaleString('en')],
    ['Failing since', failingSince && exactTime(failingSince, nowMs)],
    ['Last error', destination.lastError && html`<code>${destination.lastError}</code>`],
    ['Secrets that sign', secrets],
    ['Added', exactTime(destination.createdAt, nowMs)],
    ['Changed', exactTime(destination.updatedAt, nowMs)],
  ];
  const rotate = actionForm({
    to: `${DESTINATIONS_PATH}/${destination.id}/rotate-secret`,
    label: 'New secret…',
    csrfToken: caller.csrfToken,
    id: 'rotate',
  });
  const remove = actionForm({
    to: `${DESTINATIONS_PATH}/${destination.id}/remove`,
    label: 'Remove…',
    csrfToken: caller.csrfToken,
    id: 'remove',
    kind: 'danger',
  });
  const resend = actionForm({
    to: `${DESTINATIONS_PATH}/${destination.id}/resend`,
    label: 'Resend what was given up',
    csrfToken: caller.csrfToken,
    id: 'resend',
  });
  return html`<div class="card">
    ${factList(facts)}
    <div class="actions">
      <a href="${DESTINATIONS_PATH}/${destination.id}/change">Change</a> ${testForm(destination, caller)} ${pauseForm(destination, caller)}
      ${resend} ${rotate} ${remove}
    </div>
  </div>`;
}

function stateOf({ status, pausedReason }: Destination): Html {
  if (status === 'active') return statusPill(status);
  return html`${pill('warn', 'Paused')} ${pausedReason && html`<span class="soft">${REASONS[pausedReason]}</span>`}`;
}

function testForm({ id, name }: Destination, { csrfToken }: SessionPrincipal): Html {
  return actionForm({ to: `${DESTINATIONS_PATH}/${id}/test`, label: 'Test', about: name, csrfToken, id: `test-${id}` });
}

function pauseForm({ id, name, status }: Destination, { csrfToken }: SessionPrincipal): Html {
  const [to, label] = status === 'active' ? ['pause', 'Pause'] : ['resume', 'Resume'];
  return actionForm({ to: `${DESTINATIONS_PATH}/${id}/${to}`, label, about: name, csrfToken, id: `${to}-${id}` });
}
