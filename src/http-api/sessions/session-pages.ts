import { html, htmlPage, type Html } from '../html';
import type { Principal, SessionPrincipal } from '../principal/principal';

/** Asks before a browser that is signed in becomes somebody else's: a link alone changes nothing. */
export function switchPage(current: SessionPrincipal, next: Principal, code: string): string {
  const body = html`<p>This browser is signed in as ${nameOf(current)}. A link wants to sign it in as ${nameOf(next)} instead.</p>
    <p>If you did not follow it from your own application just now, stay as you are.</p>
    <form method="post" action="/session">
      <input type="hidden" name="_csrf" value="${current.csrfToken}" />
      <input type="hidden" name="code" value="${code}" />
      <button type="submit">Sign in as ${next.userId}</button>
    </form>
    <p><a href="/settings/integrations">Stay signed in as ${current.userId}</a></p>`;
  return htmlPage('Change who is signed in?', body);
}

export function signOutForm({ csrfToken }: SessionPrincipal): Html {
  return html`<form method="post" action="/session/logout">
    <input type="hidden" name="_csrf" value="${csrfToken}" />
    <button type="submit">Sign out</button>
  </form>`;
}

/** The way back to the product, where the settings name it (`PRODUCT_URL`). */
export function productLink(productUrl: string | undefined): Html | undefined {
  return productUrl === undefined ? undefined : html`<p><a href="${productUrl}">Go to your application</a></p>`;
}

/** As the product's tokens name people. */
export function nameOf({ userId, tenant }: Pick<Principal, 'userId' | 'tenant'>): Html {
  return html`<strong>${userId}</strong> of <strong>${tenant}</strong>`;
}
