import { createHash } from 'node:crypto';
import { html, type Html } from '../../http-api';
import type { FailedEventGroup } from '../../integrations';
import { count, counted } from '../counted';
import { actionForm, hiddenFields, select, textField } from '../form';
import { table } from '../table';
import { timeTag } from '../time-tag';
import { EVENTS_PATH, FAILED_EVENTS_PATH as PATH, providerName, type ViewContext } from './admin-links';

/** Of the form that the boxes belong to: it stands below the table. */
const TICKED = 'replay-ticked';

export function failedGroupTable(groups: readonly FailedEventGroup[], context: ViewContext): Html {
  const { nowMs, caller, nameOf } = context;
  const rows = groups.map((group) => [
    box(group, nameOf(group.provider)),
    html`<span class="name">${providerName(group.provider, context)}: ${group.type}</span>`,
    html`<span class="name">${group.handlers.join(', ') || 'Nobody'}</span>`,
    html`<div class="wide">
      <a href="${EVENTS_PATH}/${group.exampleId}">${group.error ?? 'An unknown error'}</a>
      ${group.errorCode && html`<br /><code>${group.errorCode}</code>`}
    </div>`,
    count(group.dead, group.atLeast.includes('dead')),
    count(group.retrying, group.atLeast.includes('retrying')),
    `${counted(group.tenants, 'organization', group.atLeast.includes('tenants'))}, ${counted(group.connections, 'connection', group.atLeast.includes('connections'))}`,
    timeTag(group.since, nowMs),
    timeTag(group.last, nowMs),
    group.error !== null &&
      actionForm({
        to: `${PATH}/replay`,
        label: 'Replay…',
        about: `${nameOf(group.provider)}, ${group.type}`,
        csrfToken: caller.csrfToken,
        id: `replay-${idOf(group)}`,
        fields: { provider: group.provider, type: group.type, error: group.error },
      }),
  ]);
  const headings = ['Chosen', 'Kind', 'Handlers', 'Error', 'Given up', 'Tried again', 'Whom', 'Oldest', 'Newest', 'Replay'];
  return table('Failed events', headings, rows, 'No event fails in its handlers.');
}

/** Again: what is ticked above, what has something in common, or all. */
export function replayForms(groups: readonly FailedEventGroup[], { caller: { csrfToken }, nameOf }: ViewContext): Html {
  const choices = (values: readonly string[], labelOf = (value: string) => value) =>
    [...new Set(values)].sort().map((value) => ({ value, label: labelOf(value) }));
  return html`<div class="actions">
      <form id="${TICKED}" method="post" action="${PATH}/replay">
        ${hiddenFields({ _csrf: csrfToken })} <button id="replay-chosen">Replay the chosen…</button>
      </form>
      ${actionForm({ to: `${PATH}/replay`, label: 'Replay all…', csrfToken, id: 'replay-all', fields: { all: 'yes' } })}
    </div>
    <h2>Replay what has something in common</h2>
    <form class="filter" method="post" action="${PATH}/replay">
      ${hiddenFields({ _csrf: csrfToken })}
      ${select(
        'provider',
        'Provider',
        choices(
          groups.map(({ provider }) => provider),
          nameOf,
        ),
        undefined,
      )}
      ${select('handler', 'Handler', choices(groups.flatMap(({ handlers }) => handlers)), undefined)}
      ${textField('type', 'Type', undefined)} ${textField('error', 'Error, as above', undefined)}
      ${textField('connectionId', 'Connection', undefined)} ${textField('from', 'From (UTC)', undefined, { type: 'datetime-local' })}
      ${textField('to', 'To (UTC)', undefined, { type: 'datetime-local' })}
      <button id="replay-matching">Replay what matches…</button>
    </form>`;
}

function box(group: FailedEventGroup, name: string): Html | undefined {
  const { provider, type, error } = group;
  if (error === null) return undefined;
  return html`<label class="tick"
    ><input
      type="checkbox"
      form="${TICKED}"
      name="group"
      id="group-${idOf(group)}"
      value="${JSON.stringify({ provider, type, error })}"
    /><span class="unseen">${name}, ${type}: ${error}</span></label
  >`;
}

/** The same as long as the group is there, wherever it stands. */
function idOf({ provider, type, error, errorCode }: FailedEventGroup): string {
  return createHash('sha256')
    .update(JSON.stringify([provider, type, error, errorCode]))
    .digest('hex')
    .slice(0, 12);
}
