import { html, htmlPage, productLink } from '../../http-api';
import type { IntegrationError } from '../../errors';

/**
 * For every answer of the connect routes: the address holds a secret, and the pages run nothing. The form may lead anywhere by https:
 * browsers hold all redirects after it against `form-action`, and a provider may send people on to origins that nobody can list.
 */
export function pageHeaders(consentOrigin = ''): Readonly<Record<string, string>> {
  return {
    'cache-control': 'no-store',
    // Told within our own origin only: without it the form's Origin would be "null".
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    // A product that opened this in a window of its own hears from the last page what came of it.
    'cross-origin-opener-policy': 'unsafe-none',
    'x-robots-tag': 'noindex',
    'content-security-policy': `default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self' https: ${consentOrigin}; frame-ancestors 'none'`,
  };
}

/** What a person sees where there is nowhere to send the browser: our own words only. */
export function errorPage(error: IntegrationError, productUrl: string | undefined): string {
  return htmlPage(
    error.title,
    html`<p>${error.message}</p>
      <p>${error.nextStep}</p>
      ${productLink(productUrl) ?? html`<p><a href="/settings/integrations">Back to the integrations</a></p>`}`,
  );
}
