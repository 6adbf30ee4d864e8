import { errorIn, html, htmlPage, imageSource, productLink, type PageFrame } from '../../http-api';
import type { IntegrationError } from '../../errors';

/**
 * For every answer of the connect routes: the address holds a secret, and the pages run nothing but what `allowed` says.
 *
 * @param allowed directives of the content security policy. Default: a form that may lead to our own pages only
 */
export function pageHeaders({ brand }: PageFrame, allowed = "form-action 'self'"): Readonly<Record<string, string>> {
  return {
    'cache-control': 'no-store',
    // Told within our own origin only: without it the form's Origin would be "null".
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    // A product that opened this in a window of its own hears from the last page what came of it.
    'cross-origin-opener-policy': 'unsafe-none',
    'x-robots-tag': 'noindex',
    'content-security-policy': `default-src 'none'; style-src 'self'; img-src ${imageSource(brand)}; base-uri 'none'; ${allowed}; frame-ancestors 'none'`,
  };
}

/**
 * A form that may lead anywhere by https: browsers hold all redirects after it against `form-action`, and a provider may send people on
 * to origins that nobody can list.
 */
export function formLeadsTo(consentOrigin: string): string {
  return `form-action 'self' https: ${consentOrigin}`;
}

/** What a person sees where there is nowhere to send the browser: our own words only. */
export function errorPage(error: IntegrationError, frame: PageFrame, productUrl: string | undefined): string {
  const { language } = frame;
  const { title, detail, nextStep } = errorIn(language, { code: error.code, detail: error.message, nextStep: error.nextStep });
  return htmlPage(
    title,
    html`<p>${detail}</p>
      <p>${nextStep}</p>
      ${productLink(productUrl, language) ?? html`<p><a href="/settings/integrations">${language.say('page.toIntegrations')}</a></p>`}`,
    frame,
  );
}
