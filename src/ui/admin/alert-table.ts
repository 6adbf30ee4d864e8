import { html, type Html } from '../../http-api';
import type { Alert } from '../../integrations';
import { counted } from '../counted';
import { actionForm, rowButton, rowsForm } from '../form';
import { pill, type Tone } from '../layout';
import { table } from '../table';
import { exactTime, timeTag } from '../time-tag';
import {
  ALERTS_PATH,
  CONNECTIONS_PATH,
  factList,
  idLink,
  providerLink,
  tenantColumn,
  wholeId,
  type Facts,
  type ViewContext,
} from './admin-links';
import { statusPill } from './status-words';

export interface AlertTableContext extends ViewContext {
  readonly empty: string;
  /** Page to come back to. */
  readonly back: '/admin' | typeof ALERTS_PATH;
}

const SEVERITIES: Readonly<Record<string, readonly [Tone, string]>> = {
  critical: ['bad', 'Critical'],
  warning: ['warn', 'Warning'],
  info: ['soft', 'For information'],
};

/** Of a list's row, characters: the page of the alert has all, and a list of many stays small. */
const MOST_OF_DETAIL = 160;
const MOST_OF_TITLE = 60;

export function alertTable(alerts: readonly Alert[], context: AlertTableContext): Html {
  const { nowMs, caller, empty, back } = context;
  const tenants = tenantColumn(caller);
  const rows = alerts.map((alert) => [
    statePill(alert),
    severityPill(alert),
    html`<div class="wide">
      <strong><a href="${ALERTS_PATH}/${alert.id}">${alert.title}</a></strong
      ><br />${cut(alert.detail, MOST_OF_DETAIL)} ${alert.state !== 'resolved' && alert.nextStep}
    </div>`,
    ...tenants.cell(alert.tenant),
    alert.provider === null ? '–' : providerLink(alert.provider, context),
    idLink(CONNECTIONS_PATH, alert.connectionId),
    timeTag(alert.openedAt, nowMs),
    html`${counted(alert.count, 'time')}, last ${timeTag(alert.lastSeenAt, nowMs)}`,
    alert.state === 'open' ? rowButton(acknowledge(alert)) : acknowledgedBy(alert),
  ]);
  const headings = ['State', 'Severity', 'Alert', ...tenants.heading, 'Provider', 'Connection', 'Opened', 'Seen'];
  return html`${rowsForm(caller.csrfToken, { back })} ${table('Alerts', [...headings, 'Acknowledge'], rows, empty)}`;
}

export function alertFacts(alert: Alert, context: ViewContext): Html {
  const { nowMs, caller } = context;
  const { provider, connectionId } = alert;
  const facts: Facts = [
    ['Alert', wholeId(alert.id)],
    ['Severity', severityPill(alert)],
    ['State', statePill(alert)],
    ['What', alert.detail],
    ['What to do', alert.nextStep],
    ['Kind', html`<code>${alert.kind}</code>`],
    ['Organization', alert.tenant],
    ['Provider', provider !== null && providerLink(provider, context)],
    ['Connection', connectionId !== null && html`<a href="${CONNECTIONS_PATH}/${connectionId}">${connectionId}</a>`],
    ['Seen', counted(alert.count, 'time')],
    ['Opened', exactTime(alert.openedAt, nowMs)],
    ['Last seen', exactTime(alert.lastSeenAt, nowMs)],
    ['Acknowledged', alert.acknowledgedAt && html`${exactTime(alert.acknowledgedAt, nowMs)} by ${alert.acknowledgedBy}`],
    ['Resolved', alert.resolvedAt && exactTime(alert.resolvedAt, nowMs)],
  ];
  const open =
    alert.state === 'open' && html`<div class="actions">${actionForm({ ...acknowledge(alert), csrfToken: caller.csrfToken })}</div>`;
  return html`<div class="card">
    <h2>${alert.title}</h2>
    ${factList(facts)} ${open}
  </div>`;
}

function statePill({ state }: Alert): Html {
  return state === 'open' ? pill('bad', 'Open') : statusPill(state);
}

function severityPill({ severity }: Alert): Html {
  const [tone, words] = (Object.hasOwn(SEVERITIES, severity) ? SEVERITIES[severity] : undefined) ?? ['warn', severity];
  return pill(tone, words);
}

function acknowledge({ id, title }: Alert) {
  return { to: `${ALERTS_PATH}/${id}/acknowledge`, label: 'Acknowledge', about: cut(title, MOST_OF_TITLE), id: `ack-${id}` };
}

function acknowledgedBy(alert: Alert): Html | null {
  return alert.acknowledgedBy === null ? null : html`by ${alert.acknowledgedBy}`;
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
