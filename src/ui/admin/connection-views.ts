import { html, providerSign, type Html } from '../../http-api';
import { ERROR_KINDS } from '../../errors';
import { ownerOf, type ConnectionWithSync, type Provider } from '../../integrations';
import { actionForm } from '../form';
import { pill } from '../layout';
import { disconnectQuestion } from '../settings/disconnect-question';
import { addressOf, table } from '../table';
import { exactTime, timeTag } from '../time-tag';
import {
  CONNECTIONS_PATH,
  DELIVERIES_PATH,
  EVENTS_PATH,
  factList,
  providerLink,
  REQUESTS_PATH,
  RUNS_PATH,
  tenantColumn,
  wholeId,
  type Facts,
  type ViewContext,
} from './admin-links';
import { statusPill } from './status-words';

const DAY_MS = 86_400_000;

export interface ConnectionContext extends ViewContext {
  /** In words: what something needs, and was not given. */
  readonly missingOf: (connection: ConnectionWithSync) => readonly string[];
}

export function connectionTable(connections: readonly ConnectionWithSync[], context: ConnectionContext): Html {
  const { nowMs, caller, nameOf, missingOf } = context;
  const tenants = tenantColumn(caller);
  const rows = connections.map((connection) => [
    html`<div class="wide">
      <a href="${CONNECTIONS_PATH}/${connection.id}">${connection.accountName || 'Unnamed'}</a><br /><code>${connection.accountId}</code>
    </div>`,
    html`<span class="with-sign"
      >${providerSign({ key: connection.provider, name: nameOf(connection.provider) })} ${nameOf(connection.provider)}</span
    >`,
    ...tenants.cell(connection.tenant),
    html`<span class="name">${whose(connection)}</span>`,
    html`${statePill(connection, missingOf(connection))}${connection.error && html`<br /><code>${connection.error.code}</code>`}`,
    connection.lastSync ? timeTag(connection.lastSync, nowMs) : 'Never',
    timeTag(connection.connectedAt, nowMs),
  ]);
  const headings = ['Account', 'Provider', ...tenants.heading, 'Whose', 'Status', 'Last sync', 'Connected'];
  return table('Connections', headings, rows, 'No connection matches.');
}

/** One connection: whose it is, what it may do, how it is. */
export function connectionFacts(connection: ConnectionWithSync, provider: Provider | undefined, context: ConnectionContext): Html {
  const { nowMs, missingOf } = context;
  const { error } = connection;
  const missing = missingOf(connection);
  const facts: Facts = [
    ['Connection', wholeId(connection.id)],
    ['Account', html`${connection.accountName} ${connection.accountId && wholeId(connection.accountId)}`],
    ['Provider', providerLink(connection.provider, context)],
    ['Organization', html`<a href="${addressOf(CONNECTIONS_PATH, { tenant: connection.tenant })}">${connection.tenant}</a>`],
    ['Whose', ownerOf(connection) === 'user' ? userLink(connection) : `${whose(connection)}: ${policyOf(connection)}`],
    ['Status', statePill(connection, missing)],
    ...(error
      ? [['Error', html`${ERROR_KINDS[error.code].detail} ${ERROR_KINDS[error.code].nextStep} <code>${error.code}</code>`] as const]
      : []),
    ['Permissions', connection.scopes.map((scope) => html`<code>${scope}</code> `)],
    ['Missing permissions', missing.length > 0 ? missing.join('; ') : 'None'],
    ['Connected', exactTime(connection.connectedAt, nowMs)],
    ...(connection.disconnectedAt ? [['Disconnected', exactTime(connection.disconnectedAt, nowMs)] as const] : []),
    ...(provider?.sync ? [['Last sync', connection.lastSync ? exactTime(connection.lastSync, nowMs) : 'Never'] as const] : []),
    ...connection.parts.map(
      ({ label, error: fault, extent, ...shape }) =>
        [label, [fault ? `${fault.message} ${fault.nextStep}` : extent, shapeNote(shape)].filter(Boolean).join(' ')] as const,
    ),
  ];
  return html`<div class="card">${factList(facts)} ${buttons(connection, provider, context)}</div>`;
}

function shapeNote({
  shapeErrors,
  shapeError,
}: Pick<ConnectionWithSync['parts'][number], 'shapeErrors' | 'shapeError'>): string | undefined {
  return shapeErrors > 0 ? `Without the declared shape, and stored as they came: ${shapeErrors}. First: ${shapeError}.` : undefined;
}

/** Lists of all that is of this connection. */
export function listsOf({ id, tenant }: Pick<ConnectionWithSync, 'id' | 'tenant'>, nowMs: number): Html {
  const yesterday = new Date(nowMs - DAY_MS).toISOString();
  return html`<p>
    All of this connection: <a href="${RUNS_PATH}?connection=${id}">sync runs</a>, <a href="${REQUESTS_PATH}?connection=${id}">requests</a>,
    <a href="${EVENTS_PATH}?connectionId=${id}">webhook events</a>. What the product was told of it:
    <a href="${addressOf(DELIVERIES_PATH, { tenant, connection: id, from: yesterday })}">deliveries of the last day</a>
  </p>`;
}

function buttons(connection: ConnectionWithSync, provider: Provider | undefined, { caller, nameOf }: ConnectionContext): Html | undefined {
  const { id, status, accountName } = connection;
  if (status === 'disconnected') return undefined;
  const button = (name: string, label: string, more: { kind?: 'danger'; question?: string } = {}) =>
    actionForm({ to: `${CONNECTIONS_PATH}/${id}/${name}`, label, csrfToken: caller.csrfToken, id: name, about: accountName, ...more });
  return html`<div class="actions">
    ${status === 'connected' && provider?.sync && button('sync', 'Sync now')}
    ${button('disconnect', 'Disconnect', { kind: 'danger', question: `${disconnectQuestion(nameOf(connection.provider), connection)} The records that were synced stay.` })}
  </div>`;
}

function statePill({ status }: ConnectionWithSync, missing: readonly string[]): Html {
  return status === 'connected' && missing.length > 0 ? pill('warn', 'Connected in part') : statusPill(status);
}

function whose(connection: ConnectionWithSync): string {
  return ownerOf(connection) === 'organization' ? 'The organization' : connection.userId;
}

function userLink({ tenant, userId }: ConnectionWithSync): Html {
  return html`<a href="${addressOf(CONNECTIONS_PATH, { tenant, userId })}">${userId}</a>`;
}

function policyOf({ usedBy, managedBy }: ConnectionWithSync): string {
  const people = (who: 'all' | 'admins') => (who === 'all' ? 'everybody' : 'its administrators');
  return `used by ${people(usedBy)}, managed by ${people(managedBy)}`;
}
