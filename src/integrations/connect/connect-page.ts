import { html, htmlPage, nameOf, signOutForm, type Html, type SessionPrincipal } from '../../http-api';
import { policyWords } from '../connections';
import type { OAuth2Facts, Provider } from '../contract';
import type { ConnectIntent } from './connect-flow.repository';

/** A connect session that has not been used yet. */
export interface PendingConnect {
  readonly provider: Provider;
  readonly intent: ConnectIntent;
  readonly facts: OAuth2Facts;
  /** Its token. */
  readonly session: string;
}

export interface ConnectForm {
  /** The connect session's token. */
  readonly session: string;
  /** Only the browser that was shown the page can send it. */
  readonly confirm: string;
}

/** Says who asks for what, and asks: whoever was sent a link sees here whose connection it would become. */
export function connectPage({ provider, intent, facts }: PendingConnect, form: ConnectForm): string {
  const wanted = inWords(intent.scopes ?? facts.scopes, facts.scopeWords);
  const inPerson = inWords(intent.userScopes ?? [], facts.userScopes?.words);
  const { maker } = intent;
  const body = html`<p>${personOf(intent)} is about to connect an account at <strong>${provider.name}</strong>.</p>
    ${maker && (maker.tenant !== intent.tenant || maker.userId !== intent.userId) && html`<p>The link was made by ${nameOf(maker)}.</p>`}
    ${intent.owner === 'organization' && html`<p>${sharedWith(intent)}</p>`}
    <p>If this is not you, or you did not start this just now, close the page: otherwise your account would be at their service.</p>
    ${listOf(html`${provider.name} will be asked for:`, wanted)}
    ${listOf(html`${provider.name} will be asked to let the service act <strong>in your own name</strong>:`, inPerson)}
    <form method="post" action="/connect/${provider.key}">
      <input type="hidden" name="session" value="${form.session}" />
      <input type="hidden" name="confirm" value="${form.confirm}" />
      <button type="submit">Go on to ${provider.name}</button>
    </form>`;
  return htmlPage(`${intent.connectionId === undefined ? 'Connect' : 'Reconnect'} ${provider.name}`, body);
}

/** The link is another person's than the one who is signed in here. */
export function othersLinkPage({ provider, intent }: PendingConnect, current: SessionPrincipal): string {
  const body = html`<p>
      This link connects ${provider.name} for ${personOf(intent)}, but this browser is signed in as ${nameOf(current)}. Nothing was
      connected.
    </p>
    <p>If you are ${intent.userId}, sign out here and open the link again. Otherwise close the page.</p>
    ${signOutForm(current)}
    <p><a href="/settings/integrations">Back to your integrations</a></p>`;
  return htmlPage('This link is not yours', body);
}

/** Names that the product gave stand beside the ids, never instead of them: a name can be anybody's. */
function personOf({ tenant, userId, display }: PendingConnect['intent']): Html {
  const named = (name: string | undefined, id: string) =>
    name === undefined || name === id ? html`<strong>${id}</strong>` : html`<strong>${name}</strong> (${id})`;
  return html`${named(display?.user, userId)} of ${named(display?.organization, tenant)}`;
}

/** What a person gives away who connects for the organization. A connection that is mended keeps its policy, which the page does not know. */
function sharedWith({ connectionId, policy = {} }: ConnectIntent): Html {
  const use = connectionId === undefined && html` ${policyWords(policy)}.`;
  return html`The connection will be the <strong>organization’s</strong>, not yours alone.${use} It stays when you leave.`;
}

function listOf(title: Html, items: readonly string[]): Html | false {
  return (
    items.length > 0 &&
    html`<p>${title}</p>
      <ul>
        ${items.map((words) => html`<li>${words}</li>`)}
      </ul>`
  );
}

function inWords(scopes: readonly string[], scopeWords: Readonly<Record<string, string>> = {}): string[] {
  return [...new Set(scopes.map((scope) => (Object.hasOwn(scopeWords, scope) ? (scopeWords[scope] as string) : scope)))];
}
