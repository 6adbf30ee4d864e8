import { html, type Html } from '../../http-api';
import type { EventFilter, ReplayRun } from '../../integrations';
import { count } from '../counted';
import { actionForm } from '../form';
import { pill, type Tone } from '../layout';
import { table } from '../table';
import { exactTime, timeTag } from '../time-tag';
import { factList, FAILED_EVENTS_PATH, REPLAYS_PATH, tenantColumn, wholeId, type Facts, type ViewContext } from './admin-links';

const STATES: Readonly<Record<ReplayRun['state'], readonly [Tone, string]>> = {
  queued: ['soft', 'Queued'],
  running: ['warn', 'Running'],
  cancelling: ['warn', 'Being cancelled'],
  completed: ['good', 'Completed'],
  cancelled: ['soft', 'Cancelled'],
};

export function replayTable(runs: readonly ReplayRun[], context: ViewContext): Html {
  const { nowMs, caller } = context;
  const tenants = tenantColumn(caller);
  const rows = runs.map((run) => [
    html`<a href="${REPLAYS_PATH}/${run.id}">${timeTag(run.createdAt, nowMs)}</a>`,
    ...tenants.cell(run.tenant),
    html`<span class="name">${run.actor}</span>`,
    html`<div class="wide">${filterWords(run.filter, context)}</div>`,
    pill(...STATES[run.state]),
    count(run.total),
    count(run.done),
    count(run.failed),
    count(run.skipped),
  ]);
  const headings = ['Asked for', ...tenants.heading, 'By', 'Which events', 'State', 'Events', 'Done', 'Failed again', 'Passed over'];
  return table('Replays', headings, rows, 'Nothing has been replayed in a run yet.');
}

/** How far it is, with a bar; and its end before the time. */
export function replayFacts(run: ReplayRun, context: ViewContext): Html {
  const { nowMs, caller } = context;
  const { total, done, failed, skipped } = run;
  const over = done + failed + skipped;
  const isOpen = run.state === 'queued' || run.state === 'running';
  const facts: Facts = [
    ['State', pill(...STATES[run.state])],
    ['Events', count(total)],
    ['Done', count(done)],
    ['Failed again', failed === 0 ? '0' : html`<a class="bad" href="${FAILED_EVENTS_PATH}">${count(failed)}</a>`],
    ['Passed over', count(skipped)],
    ['Left', count(total - over)],
    ['Which events', filterWords(run.filter, context)],
    ['Organization', run.tenant ?? 'All'],
    ['By', run.actor],
    ['Asked for', exactTime(run.createdAt, nowMs)],
    ['Started', run.startedAt && exactTime(run.startedAt, nowMs)],
    ['Ended', run.endedAt && exactTime(run.endedAt, nowMs)],
    ['Replay', wholeId(run.id)],
  ];
  const button = actionForm({
    ...{ to: `${REPLAYS_PATH}/${run.id}/cancel`, label: 'Cancel the replay', csrfToken: caller.csrfToken, id: 'cancel', kind: 'danger' },
  });
  return html`<div class="card">
    <p>
      <progress
        id="progress"
        max="${Math.max(total, 1)}"
        value="${total === 0 ? 1 : over}"
        aria-label="Events that have their outcome"
      ></progress>
      <span class="soft">${count(over)} of ${count(total)}</span>
    </p>
    ${factList(facts)}
    <p class="soft">
      Events are put back batch by batch; what comes in now goes first. What failed again is tried again by itself. What was passed over had
      no payload any more, or was in work when its turn came.
    </p>
    <div class="actions">
      ${isOpen && button}
      <a href="${REPLAYS_PATH}">All replays</a>
      <a href="${FAILED_EVENTS_PATH}">What fails</a>
    </div>
  </div>`;
}

const NAMES: readonly (readonly [keyof EventFilter, string])[] = [
  ['type', 'type'],
  ['handler', 'handler'],
  ['status', 'status'],
  ['error', 'error'],
  ['eventId', 'event id'],
  ['connectionId', 'connection'],
  ['receivedFrom', 'received from'],
  ['receivedTo', 'received before'],
];

/** Which events they are, as a person says it. */
export function filterWords(filter: EventFilter, { nameOf }: Pick<ViewContext, 'nameOf'>): string {
  const whose = typeof filter.provider !== 'string' ? [] : [`provider ${nameOf(filter.provider)}`];
  const fields = NAMES.flatMap(([field, name]) => (typeof filter[field] === 'string' ? [`${name} ${filter[field]}`] : []));
  const groups = (filter.groups ?? []).map(({ provider, type, error }) => `${nameOf(provider ?? '')} ${type}: “${error}”`);
  const connections = filter.connectionIds ? [`${count(filter.connectionIds.length)} connections`] : [];
  const all = [...whose, ...fields, ...connections, ...groups];
  return all.length === 0 ? 'All that failed or were given up' : all.join('; ');
}
