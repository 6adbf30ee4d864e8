import { html, type Html, type SessionPrincipal } from '../../http-api';
import { ERROR_KINDS } from '../../errors';
import type { SyncRun } from '../../integrations';
import { actionForm } from '../form';
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
  RUNS_PATH,
  tenantColumn,
  wholeId,
  type Facts,
  type ViewContext,
} from './admin-links';
import { statusPill } from './status-words';

export const TRIGGERS: Readonly<Record<SyncRun['trigger'], string>> = {
  schedule: 'the clock',
  manual: 'hand',
  webhook: 'an event',
  connect: 'connecting',
};

export const REMOVAL_QUESTION =
  'Many of the records are missing at the provider. The affected parts are read again first; what is still missing then is removed here. Go on?';

export function runTable(runs: readonly SyncRun[], context: ViewContext): Html {
  const { nowMs, caller } = context;
  const tenants = tenantColumn(caller);
  const rows = runs.map((run) => [
    html`<a href="${RUNS_PATH}/${run.id}">${timeTag(run.createdAt, nowMs)}</a>`,
    providerName(run.provider, context),
    ...tenants.cell(run.tenant),
    idLink(CONNECTIONS_PATH, run.connectionId),
    `${run.type}, by ${TRIGGERS[run.trigger]}`,
    statusPill(run.status),
    fetchedOf(run),
    changesOf(run),
    tookOf(run, nowMs),
    (run.error ?? run.status === 'paused') && html`<div class="wide">${errorOf(run)} ${confirmForm(run, caller)}</div>`,
  ]);
  const headings = ['Asked for', 'Provider', ...tenants.heading, 'Connection', 'Kind', 'Status', 'Fetched', 'Changes', 'Took', 'Error'];
  return table('Sync runs', headings, rows, 'No run matches.');
}

/** One run in full, with the way to what it called and to what came in meanwhile. */
export function runFacts(run: SyncRun, context: ViewContext): Html {
  const { nowMs, caller } = context;
  const facts: Facts = [
    ['Run', wholeId(run.id)],
    ['Connection', html`<a href="${CONNECTIONS_PATH}/${run.connectionId}">${run.connectionId}</a>`],
    ['Organization', run.tenant],
    ['Provider', providerLink(run.provider, context)],
    ['Kind', `${run.type}, by ${TRIGGERS[run.trigger]}`],
    ['Resources', run.resources.length === 0 ? 'All' : run.resources.join(', ')],
    ['Status', statusPill(run.status)],
    ['Error', errorOf(run)],
    ['Next try', run.nextTryAt && exactTime(run.nextTryAt, nowMs)],
    ['Fetched', fetchedOf(run)],
    ['Changes', changesOf(run)],
    ['Asked for', exactTime(run.createdAt, nowMs)],
    ['Started', run.startedAt && exactTime(run.startedAt, nowMs)],
    ['Finished', run.finishedAt && exactTime(run.finishedAt, nowMs)],
    ['Took', tookOf(run, nowMs)],
    ['Starts since the last stored page', run.attempts],
    ...run.parts.map(({ label, error }) => [label, error && `${error.message} ${error.nextStep}`] as const),
    ...run.shapeErrors.map(
      ({ resource, records, recordId, reason }) =>
        [resource, `Without the declared shape, and stored as they came: ${records}. First: ${recordId}, ${reason}.`] as const,
    ),
  ];
  return html`<div class="card">
      ${factList(facts)} ${run.status === 'paused' && html`<div class="actions">${confirmForm(run, caller)}</div>`}
    </div>
    ${run.startedAt && duringRun(run)}`;
}

/** What the connection called and was told while the run was under way. */
function duringRun(run: SyncRun): Html {
  const { connectionId, startedAt, finishedAt } = run;
  const time = {
    from: startedAt?.toISOString(),
    // the moment itself is not within
    to: finishedAt ? new Date(finishedAt.getTime() + 1).toISOString() : undefined,
  };
  return html`<p>
    While it ran: <a href="${addressOf(REQUESTS_PATH, { connection: connectionId, ...time })}">requests</a>,
    <a href="${addressOf(EVENTS_PATH, { connectionId, ...time })}">webhook events</a
    >${finishedAt && html`. At its end: <a href="${toldAtEnd(run)}">what the product was told</a>`}
  </p>`;
}

/** A delivery has the time of what it tells of. */
function toldAtEnd({ tenant, connectionId: connection, finishedAt }: SyncRun): string {
  const at = finishedAt?.getTime() ?? 0;
  return addressOf(DELIVERIES_PATH, { tenant, connection, from: new Date(at).toISOString(), to: new Date(at + 1).toISOString() });
}

function fetchedOf({ counts, total }: SyncRun): string {
  const fetched = counts.fetched.toLocaleString('en');
  return total === null ? fetched : `${fetched} of ${Math.max(total, counts.fetched).toLocaleString('en')}`;
}

function tookOf({ startedAt, finishedAt }: SyncRun, nowMs: number): string {
  return startedAt ? duration((finishedAt?.getTime() ?? nowMs) - startedAt.getTime()) : '–';
}

function errorOf({ error }: SyncRun): string | null {
  return error && `${error.message} ${ERROR_KINDS[error.code].nextStep}`;
}

function confirmForm({ id, status }: SyncRun, { csrfToken }: SessionPrincipal): Html | undefined {
  if (status !== 'paused') return undefined;
  const form = { to: `${RUNS_PATH}/${id}/confirm`, label: 'Confirm', about: 'the removal', csrfToken, id: `confirm-${id}` };
  return actionForm({ ...form, question: REMOVAL_QUESTION });
}

/** What came of it, as far as something did. */
function changesOf({ counts }: SyncRun): string {
  const kinds = ['created', 'updated', 'deleted'] as const;
  const changes = kinds.filter((kind) => counts[kind] > 0).map((kind) => `${counts[kind].toLocaleString('en')} ${kind}`);
  return changes.length === 0 ? 'None' : changes.join(', ');
}
