import { html, type Html } from '../../http-api';
import { ERROR_KINDS, type ErrorCode } from '../../errors';
import { ownerOf } from '../../integrations';
import { actionForm } from '../form';
import { INTEGRATIONS_PATH, pill } from '../layout';
import { relativeTime, timeUntil } from '../relative-time';
import { timeTag } from '../time-tag';
import type { Attempt } from './asked-fields';
import { connectForms, keyForm, policyForm } from './connect-forms';
import type { AccountState, ProviderCard } from './integration-cards';
import { monogram } from './monogram';
import { faultNote } from './settings-banner';

/** To a person these are one thing: nothing is wrong here, and it is tried again. */
const NOT_ANSWERING: ReadonlySet<ErrorCode> = new Set(['provider_unavailable', 'provider_timeout', 'circuit_open']);

export interface CardContext {
  readonly nowMs: number;
  readonly csrfToken: string;
  /** The form that was just sent and came to nothing. */
  readonly attempt?: Attempt;
}

/** One provider: its accounts, each with its state and what can be done. */
export function integrationCard(card: ProviderCard, context: CardContext): Html {
  const { provider, accounts } = card;
  const isBusy = accounts.some(({ connection }) => connection.syncInProgress);
  return html`<li class="card" id="card-${provider.key}" data-card data-says="${spoken(card, context.nowMs)}" ${isBusy && html`data-busy`}>
    <h2>
      <span>${monogram(provider.name)} ${provider.name}</span>
      ${accounts.length === 0 && pill('soft', provider.configured ? 'Not connected' : 'Not available')}
    </h2>
    ${accounts.map((account) => accountPart(card, account, context))}
    ${provider.configured ? connectPart(card, context) : unavailableNote(card)}
  </li>`;
}

function accountPart(
  { provider, forOrganization }: ProviderCard,
  { connection, manages, missing, run }: AccountState,
  { nowMs, csrfToken }: CardContext,
): Html {
  const { id, status, accountName } = connection;
  const to = `${INTEGRATIONS_PATH}/connections/${id}`;
  const isConnected = status === 'connected';
  const button = (name: string, label: string, more: { kind?: 'primary' | 'danger'; question?: string } = {}) =>
    actionForm({ to: `${to}/${name}`, label, csrfToken, id: `${name}-${id}`, about: `${provider.name}, ${accountName}`, ...more });
  return html`<section class="account" aria-label="${provider.name}, ${accountName}">
    <h3><span>${accountName}</span> ${statePill(isConnected, missing)}</h3>
    ${sharedNote(connection, manages)} ${missing.length > 0 && missingNote(missing)}
    ${provider.sync && syncNote(provider.name, connection, run, nowMs)} ${faultOf({ connection, run })}
    ${isConnected && partNotes({ connection, run }, nowMs)}
    ${!isConnected && manages && connection.authType === 'api_key' && keyForm(provider, csrfToken, { id: `key-${id}`, label: 'Reconnect', owner: ownerOf(connection), known: connection.metadata ?? {} })}
    <div class="actions">
      ${!isConnected && manages && connection.authType === 'oauth2' && provider.configured && button('reconnect', 'Reconnect', { kind: 'primary' })}
      ${missing.length > 0 && manages && provider.configured && button('reconnect', 'Allow what is missing', { kind: 'primary' })}
      ${isConnected && provider.sync && !connection.syncInProgress && button('sync', 'Sync now')}
      ${manages && button('disconnect', 'Disconnect', { kind: 'danger', question: disconnectQuestion(provider.name, connection) })}
    </div>
    ${forOrganization && ownerOf(connection) === 'organization' && policyForm(connection, `${provider.name}, ${accountName}`, csrfToken)}
  </section>`;
}

function statePill(isConnected: boolean, missing: readonly string[]): Html {
  if (!isConnected) return pill('bad', 'Reconnect needed');
  return missing.length > 0 ? pill('warn', 'Connected in part') : pill('good', 'Connected');
}

function missingNote(missing: readonly string[]): Html {
  return html`<p class="soft">Works in part. Not allowed: ${missing.join('; ')}.</p>`;
}

/** Whose it is, where it is not the person's own, and who works with it. */
function sharedNote(connection: AccountState['connection'], manages: boolean): Html | undefined {
  if (ownerOf(connection) === 'user') return undefined;
  const people = connection.usedBy === 'all' ? 'everybody in it' : 'its administrators';
  const verb = connection.managedBy === connection.usedBy ? 'used and managed' : 'used';
  return html`<p class="soft">Your organization’s: ${verb} by ${people}.${!manages && html` Its administrators look after it.`}</p>`;
}

export function disconnectQuestion(providerName: string, connection: Pick<AccountState['connection'], 'accountName' | 'userId'>): string {
  const forAll = ownerOf(connection) === 'organization' ? ' for the whole organization' : '';
  return `Disconnect ${connection.accountName} from ${providerName}${forAll}? The access ends at once, and syncing stops. The records that were synced stay.`;
}

function syncNote(name: string, connection: AccountState['connection'], run: AccountState['run'], nowMs: number): Html {
  const last = connection.lastSync ? html`Last synced ${timeTag(connection.lastSync, nowMs)}` : html`Not synced yet`;
  if (!connection.syncInProgress || !run) return html`<p class="soft">${last}</p>`;
  if (run.error && run.nextTryAt)
    return html`<p class="bad">${stumble(name, run.error)} Next try ${timeUntil(run.nextTryAt, nowMs)}.</p>
      <p class="soft">${last}</p>`;
  const fetched = run.counts.fetched;
  const of = run.total === null ? '' : ` of ${Math.max(run.total, fetched).toLocaleString('en')}`;
  const label =
    run.status === 'queued'
      ? `${connection.lastSync ? 'A sync' : 'The first sync'} is queued`
      : `${connection.lastSync ? 'Syncing' : 'The first sync is running'}: ${fetched.toLocaleString('en')}${of} fetched`;
  const bar =
    run.total === null
      ? html`<progress aria-label="Sync"></progress>`
      : html`<progress aria-label="Sync" value="${fetched}" max="${Math.max(run.total, fetched, 1)}"></progress>`;
  return html`<p>${label}</p>
    ${bar}
    <p class="soft">${last}</p>`;
}

/** Why the last try of a run that goes on by itself came to nothing. */
function stumble(name: string, { code, message }: { readonly code: ErrorCode; readonly message: string }): string {
  return NOT_ANSWERING.has(code) ? `${name} is not answering.` : message;
}

/** The connection's own trouble first; a sync that failed is told of until one succeeds or runs. */
function faultOf({ connection, run }: Pick<AccountState, 'connection' | 'run'>): Html | undefined {
  if (connection.error) return faultNote(wordsOf(connection.error.code));
  if (connection.status !== 'connected') return faultNote(wordsOf('needs_reauth'));
  if (run?.status === 'paused')
    return faultNote({
      message: 'The last sync waits:',
      nextStep: `${ERROR_KINDS.confirmation_required.detail} An administrator can confirm it.`,
    });
  if ((run?.status !== 'failed' && run?.status !== 'succeeded') || !run.error) return undefined;
  const outcome = run.status === 'failed' ? 'The last sync failed.' : 'The last sync could not read everything.';
  return faultNote({ message: `${outcome} ${run.error.message}`, nextStep: ERROR_KINDS[run.error.code].nextStep });
}

/** Of each resource: what cannot be read, where the last run does not tell it, when it is tried again, and what its list leaves out. */
function partNotes({ connection: { parts }, run }: Pick<AccountState, 'connection' | 'run'>, nowMs: number): Html[] {
  return [...new Set(parts.map(({ label }) => label))].flatMap((label) => {
    const own = parts.filter((part) => part.label === label);
    const failing = own.find(({ error }) => error !== null);
    const isTold = run?.error?.message.includes(label) ?? false;
    const extents = [...new Set(own.flatMap(({ extent }) => extent ?? []))];
    return [
      ...(failing?.error && !isTold ? [faultNote({ ...failing.error, message: `${label}: ${failing.error.message}` })] : []),
      ...(failing?.nextTryAt ? [nextTryNote(label, failing.nextTryAt, nowMs)] : []),
      ...extents.map((extent) => html`<p class="soft">${label}: ${extent}</p>`),
    ];
  });
}

function nextTryNote(label: string, at: string, nowMs: number): Html {
  return html`<p class="soft">${label}: tried again ${timeTag(at, nowMs)}; “Sync now” tries it at once.</p>`;
}

function wordsOf(code: ErrorCode): { message: string; nextStep: string } {
  return { message: ERROR_KINDS[code].detail, nextStep: ERROR_KINDS[code].nextStep };
}

function connectPart(card: ProviderCard, { csrfToken, attempt }: CardContext): Html {
  const { accounts, formerAccount } = card;
  return html`${accounts.length === 0 && html`<p class="soft">${formerAccount === undefined ? 'Nothing is connected yet.' : `${formerAccount} was connected before.`}</p>`}
    <div class="actions more">${connectForms(card, csrfToken, attempt)}</div>`;
}

function unavailableNote({ accounts }: ProviderCard): Html {
  if (accounts.length > 0) return html``;
  return html`<p class="soft">${ERROR_KINDS.provider_not_configured.detail} Set its client id and secret, then restart the service.</p>`;
}

/** For those who listen: said when it changes while the page is open. */
function spoken({ provider, accounts }: ProviderCard, nowMs: number): string {
  if (accounts.length === 0) return `${provider.name}: not connected.`;
  return accounts
    .map(({ connection: { accountName, status, syncInProgress, lastSync } }) => {
      const state = status === 'connected' ? 'connected' : 'reconnect needed';
      const sync = syncInProgress
        ? ', syncing'
        : lastSync && nowMs - lastSync.getTime() < 60_000
          ? `, synced ${relativeTime(lastSync, nowMs)}`
          : '';
      return `${provider.name}, ${accountName}: ${state}${sync}.`;
    })
    .join(' ');
}
