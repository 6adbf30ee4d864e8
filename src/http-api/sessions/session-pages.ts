import type { Language } from '../../languages';
import type { PageFrame } from '../frame/page-frames';
import { html, htmlPage, told, type Html } from '../html';
import type { Principal, SessionPrincipal } from '../principal/principal';

export interface Switch {
  readonly current: SessionPrincipal;
  readonly next: Principal;
  readonly code: string;
  /** What the link says of the language. */
  readonly lang: string | undefined;
}

/** Asks before a browser that is signed in becomes somebody else's: a link alone changes nothing. */
export function switchPage({ current, next, code, lang }: Switch, frame: PageFrame): string {
  const { language } = frame;
  const body = html`<p>${told(language, 'session.switch', { current: nameOf(current, language), next: nameOf(next, language) })}</p>
    <p>${language.say('session.switchWarning')}</p>
    <form method="post" action="/session">
      <input type="hidden" name="_csrf" value="${current.csrfToken}" />
      <input type="hidden" name="code" value="${code}" />
      ${lang !== undefined && html`<input type="hidden" name="lang" value="${lang}" />`}
      <button type="submit">${language.say('session.switchTo', { user: next.userId })}</button>
    </form>
    <p><a href="/settings/integrations">${language.say('session.stay', { user: current.userId })}</a></p>`;
  return htmlPage(language.say('session.switchTitle'), body, frame);
}

export function signOutForm({ csrfToken }: SessionPrincipal, language: Language): Html {
  return html`<form method="post" action="/session/logout">
    <input type="hidden" name="_csrf" value="${csrfToken}" />
    <button type="submit">${language.say('page.signOut')}</button>
  </form>`;
}

/** The way back to the product, where the settings name it (`PRODUCT_URL`). */
export function productLink(productUrl: string | undefined, language: Language): Html | undefined {
  return productUrl === undefined ? undefined : html`<p><a href="${productUrl}">${language.say('page.toProduct')}</a></p>`;
}

/** As the product's tokens name people. */
export function nameOf({ userId, tenant }: Pick<Principal, 'userId' | 'tenant'>, language: Language): Html {
  return told(language, 'page.person', { user: html`<strong>${userId}</strong>`, organization: html`<strong>${tenant}</strong>` });
}
