import { html, htmlPage, nameOf, providerSign, signOutForm, told, type Html, type PageFrame, type SessionPrincipal } from '../../http-api';
import type { Language } from '../../languages';
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
export function connectPage({ provider, intent, facts }: PendingConnect, form: ConnectForm, frame: PageFrame): string {
  const { language } = frame;
  const name = html`<strong>${provider.name}</strong>`;
  const inWords = (scopes: readonly string[], words: Readonly<Record<string, string>> = {}) => [
    ...new Set(scopes.map((scope) => (Object.hasOwn(words, scope) ? language.text(words[scope] as string, provider.translations) : scope))),
  ];
  const wanted = inWords(intent.scopes ?? facts.scopes, facts.scopeWords);
  const inPerson = inWords(intent.userScopes ?? [], facts.userScopes?.words);
  const { maker } = intent;
  const isOthers = maker !== undefined && (maker.tenant !== intent.tenant || maker.userId !== intent.userId);
  const body = html`<p>${told(language, 'connect.who', { person: personOf(intent, language), provider: name })}</p>
    ${isOthers && html`<p>${told(language, 'connect.maker', { person: nameOf(maker, language) })}</p>`}
    ${intent.owner === 'organization' && html`<p>${sharedWith(intent, language)}</p>`}
    ${listOf(language.say('connect.asked', { provider: provider.name }), wanted)}
    ${listOf(language.say('connect.askedInPerson', { provider: provider.name }), inPerson)}
    <form method="post" action="/connect/${provider.key}">
      <input type="hidden" name="session" value="${form.session}" />
      <input type="hidden" name="confirm" value="${form.confirm}" />
      <button type="submit" class="primary">${language.say('connect.goOn', { provider: provider.name })}</button>
    </form>
    <p class="soft">${language.say('connect.notYou')}</p>`;
  const title = intent.connectionId === undefined ? 'connect.title' : 'connect.titleAgain';
  return htmlPage(language.say(title, { provider: provider.name }), body, frame, providerSign(provider));
}

/** The link is another person's than the one who is signed in here. */
export function othersLinkPage({ provider, intent }: PendingConnect, current: SessionPrincipal, frame: PageFrame): string {
  const { language } = frame;
  const persons = { provider: provider.name, person: personOf(intent, language), current: nameOf(current, language) };
  const body = html`<p>${told(language, 'othersLink.what', persons)}</p>
    <p>${language.say('othersLink.next', { user: intent.userId })}</p>
    ${signOutForm(current, language)}
    <p><a href="/settings/integrations">${language.say('page.toIntegrations')}</a></p>`;
  return htmlPage(language.say('othersLink.title'), body, frame);
}

/** Names that the product gave stand beside the ids, never instead of them: a name can be anybody's. */
function personOf({ tenant, userId, display }: PendingConnect['intent'], language: Language): Html {
  const named = (name: string | undefined, id: string) =>
    name === undefined || name === id ? html`<strong>${id}</strong>` : html`<strong>${name}</strong> (${id})`;
  return told(language, 'page.person', { user: named(display?.user, userId), organization: named(display?.organization, tenant) });
}

/** What a person gives away who connects for the organization. A connection that is mended keeps its policy, which the page does not know. */
function sharedWith({ connectionId, policy = {} }: ConnectIntent, language: Language): Html {
  const use = connectionId === undefined && language.say('connect.sentence', { sentence: language.text(policyWords(policy)) });
  return html`${language.say('connect.forOrganization')} ${use}`;
}

function listOf(title: string, items: readonly string[]): Html | false {
  return (
    items.length > 0 &&
    html`<p>${title}</p>
      <ul>
        ${items.map((words) => html`<li>${words}</li>`)}
      </ul>`
  );
}
