import { html, providerSign, type Html } from '../../http-api';
import { ERROR_KINDS } from '../../errors';
import { isConsented, ownerOf, type Provider } from '../../integrations';
import type { Language, Word } from '../../languages';
import { actionForm } from '../form';
import { INTEGRATIONS_PATH, pill } from '../layout';
import { connectForms, keyForm, policyForm, type FormContext } from './connect-forms';
import { disconnectChoice, disconnectQuestion } from './disconnect-question';
import type { AccountState, ProviderCard } from './integration-cards';
import { faultOf, partNotes, syncNote } from './sync-notes';

export interface CardContext extends FormContext {
  readonly nowMs: number;
}

/** One provider: its accounts, each with its state and what can be done. */
export function integrationCard(card: ProviderCard, context: CardContext): Html {
  const { provider, accounts } = card;
  const { language } = context;
  const isBusy = accounts.some(({ connection }) => connection.syncInProgress);
  return html`<li class="card" id="card-${provider.key}" data-card data-says="${spoken(card, context)}" ${isBusy && html`data-busy`}>
    <h2>
      <span>${providerSign(provider)} ${provider.name}</span>
      ${accounts.length === 0 && pill('soft', language.say(provider.configured ? 'card.notConnected' : 'card.notAvailable'))}
    </h2>
    ${accounts.map((account) => accountPart(card, account, context))}
    ${provider.configured ? connectPart(card, context) : unavailableNote(card, language)}
  </li>`;
}

function accountPart({ provider, forOrganization }: ProviderCard, account: AccountState, context: CardContext): Html {
  const { connection, manages, missing } = account;
  const { id, status, accountName } = connection;
  const { csrfToken, language } = context;
  const to = `${INTEGRATIONS_PATH}/connections/${id}`;
  const isConnected = status === 'connected';
  const byConsent = connection.authType === 'oauth2' && isConsented(provider.oauth2);
  const about = language.say('card.about', { provider: provider.name, account: accountName });
  type ButtonWord = 'card.reconnect' | 'card.allowMissing' | 'card.syncNow' | 'card.disconnect';
  const button = (name: string, word: ButtonWord, more: { kind?: 'primary' | 'danger'; question?: string; asked?: Html } = {}) =>
    actionForm({ to: `${to}/${name}`, label: language.say(word), csrfToken, id: `${name}-${id}`, about, ...more });
  const attempt = context.attempt?.again === id ? context.attempt : undefined;
  const again = {
    id: `key-${id}`,
    again: id,
    attempt,
    label: language.say('card.reconnect'),
    owner: ownerOf(connection),
    known: connection.metadata ?? {},
  };
  const question = disconnectQuestion(provider.name, connection, language);
  return html`<section class="account" aria-label="${about}">
    <h3><span>${accountName}</span> ${statePill(isConnected, missing, language)}</h3>
    ${sharedNote(connection, manages, language)} ${missing.length > 0 && missingNote(missing, provider, language)}
    ${provider.sync && syncNote(account, { ...context, provider })} ${faultOf(account, language)}
    ${isConnected && partNotes(account, { ...context, provider })}
    ${!isConnected && manages && !byConsent && keyForm(provider, context, again)}
    <div class="actions">
      ${!isConnected && manages && byConsent && provider.configured && button('reconnect', 'card.reconnect', { kind: 'primary' })}
      ${missing.length > 0 && manages && isConsented(provider.oauth2) && provider.configured && button('reconnect', 'card.allowMissing', { kind: 'primary' })}
      ${isConnected && provider.sync && !connection.syncInProgress && button('sync', 'card.syncNow')}
      ${manages && button('disconnect', 'card.disconnect', { kind: 'danger', question, asked: disconnectChoice(id, language) })}
    </div>
    ${forOrganization && ownerOf(connection) === 'organization' && policyForm(connection, about, context)}
  </section>`;
}

function statePill(isConnected: boolean, missing: readonly string[], language: Language): Html {
  if (!isConnected) return pill('bad', language.say('card.reconnectNeeded'));
  return missing.length > 0 ? pill('warn', language.say('card.inPart')) : pill('good', language.say('card.connected'));
}

function missingNote(missing: readonly string[], { translations }: Provider, language: Language): Html {
  return html`<dl class="purpose">
    <dt>${language.say('card.missing')}</dt>
    ${missing.map((words) => html`<dd>${language.text(words, translations)}</dd>`)}
  </dl>`;
}

/** Whose it is, where it is not the person's own, and who works with it. */
function sharedNote(connection: AccountState['connection'], manages: boolean, language: Language): Html | undefined {
  if (ownerOf(connection) === 'user') return undefined;
  const managed = connection.managedBy === connection.usedBy;
  const byAll = managed ? 'card.sharedManagedByAll' : 'card.sharedUsedByAll';
  const byAdmins = managed ? 'card.sharedManagedByAdmins' : 'card.sharedUsedByAdmins';
  return html`<p class="soft">
    ${language.say(connection.usedBy === 'all' ? byAll : byAdmins)} ${!manages && language.say('card.adminsManage')}
  </p>`;
}

function connectPart(card: ProviderCard, context: CardContext): Html {
  const { accounts, formerAccount, provider } = card;
  const { language } = context;
  const before = formerAccount === undefined ? language.say('card.nothingYet') : language.say('card.former', { account: formerAccount });
  return html`${accounts.length === 0 && html`<p class="soft">${before}</p>`} ${accounts.length === 0 && whatItIsFor(provider, language)}
    <div class="actions more">${connectForms(card, context)}</div>`;
}

/** Before anything is given: what it would be read for, and what the provider will be asked for. */
function whatItIsFor({ oauth2, sync, translations }: Provider, language: Language): Html | false {
  const scopeWords = (oauth2?.scopes ?? []).flatMap((scope) => oauth2?.scopeWords?.[scope] ?? []);
  const parts = [
    { title: 'card.reads', items: (sync?.resources ?? []).map(({ label }) => label) },
    { title: 'card.does', items: scopeWords },
  ] as const;
  const shown = parts.filter(({ items }) => items.length > 0);
  return (
    shown.length > 0 &&
    html`<dl class="purpose">
      ${shown.map(
        ({ title, items }) =>
          html`<dt>${language.say(title)}</dt>
            ${[...new Set(items)].map((text) => html`<dd>${language.text(text, translations)}</dd>`)}`,
      )}
    </dl>`
  );
}

function unavailableNote({ accounts }: ProviderCard, language: Language): Html {
  if (accounts.length > 0) return html``;
  return html`<p class="soft">${language.text(ERROR_KINDS.provider_not_configured.detail)} ${language.say('card.setUp')}</p>`;
}

/** For those who listen: said when it changes while the page is open. */
function spoken({ provider: { name }, accounts }: ProviderCard, { nowMs, language }: CardContext): string {
  if (accounts.length === 0) return language.say('spoken.notConnected', { provider: name });
  return accounts
    .map((account) => language.say(spokenWord(account, nowMs), { provider: name, account: account.connection.accountName }))
    .join(' ');
}

function spokenWord({ connection: { status, syncInProgress, lastSync }, run }: AccountState, nowMs: number): Word {
  if (status !== 'connected') return 'spoken.reconnectNeeded';
  if (syncInProgress && run?.error && run.nextTryAt)
    return run.error.code === 'provider_rate_limited' ? 'spoken.syncLimited' : 'spoken.syncWaits';
  if (syncInProgress) return 'spoken.syncing';
  if (run?.status === 'failed') return 'spoken.syncFailed';
  return lastSync !== null && nowMs - lastSync.getTime() < 60_000 ? 'spoken.synced' : 'spoken.connected';
}
