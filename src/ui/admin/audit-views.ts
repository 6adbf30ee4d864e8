import { html, type Html } from '../../http-api';
import type { AuditEntry } from '../../integrations';
import { table } from '../table';
import { timeTag } from '../time-tag';
import {
  ALERTS_PATH,
  CONNECTIONS_PATH,
  DELIVERIES_PATH,
  DESTINATIONS_PATH,
  EVENTS_PATH,
  idLink,
  RUNS_PATH,
  tenantColumn,
} from './admin-links';
import type { ListContext } from './list-pages';
import { statusPill } from './status-words';

/** Where what was acted upon has its page. */
const PAGES: Readonly<Record<string, string>> = {
  connection: CONNECTIONS_PATH,
  alert: ALERTS_PATH,
  delivery: DELIVERIES_PATH,
  destination: DESTINATIONS_PATH,
  'sync-run': RUNS_PATH,
  'webhook-event': EVENTS_PATH,
};
/** The last word of a target: `connection:0198...`. */
const THING = /^(?:(.*) )?([a-z-]+):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

export function auditTable(entries: readonly AuditEntry[], { nowMs, caller }: Pick<ListContext, 'nowMs' | 'caller'>): Html {
  const tenants = tenantColumn(caller);
  const rows = entries.map((entry) => [
    timeTag(entry.at, nowMs),
    whoOf(entry),
    ...tenants.cell(entry.tenant || null),
    html`<code>${entry.action}</code>`,
    html`<div class="wide">${targetOf(entry.target)}</div>`,
    statusPill(entry.outcome),
    entry.ip && html`<code class="name">${entry.ip}</code>`,
    entry.requestId && html`<code class="name">${entry.requestId}</code>`,
  ]);
  const headings = ['At', 'Who', ...tenants.heading, 'Did', 'To what', 'Outcome', 'From', 'Request'];
  return table('Audit', headings, rows, 'No entry matches.');
}

function whoOf({ actorUser, actorTenant, actorRole, actorAgent, tenant }: AuditEntry): Html {
  const others = actorTenant !== '' && actorTenant !== tenant ? ` of ${actorTenant}` : '';
  return html`<span class="name"
    >${actorUser}${actorAgent !== null && html`, by the agent ${actorAgent}`}<br /><span class="soft">${actorRole}${others}</span></span
  >`;
}

/** With a way to what it was done to, where that has a page. */
function targetOf(target: string): Html {
  const [, before, kind = '', id = ''] = THING.exec(target) ?? [];
  const path = Object.hasOwn(PAGES, kind) ? PAGES[kind] : undefined;
  if (path === undefined) return html`<code>${target}</code>`;
  return html`${before && html`<code>${before}</code> `}${kind.replace('-', ' ')} ${idLink(path, id)}`;
}
