import { createHash } from 'node:crypto';
import type { IntegrationError } from '../../errors';
import { escapeHtml } from '../../http-api';

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem;color:#1a1a1a;background:#fff}h1{font-size:1.4rem}a{color:#0b57d0}' +
  '@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}a{color:#8ab4f8}}';

/** For every answer of the connect routes: the address holds a secret, and the page runs nothing. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
};

/** What a person sees where there is nowhere to send the browser: our own words only, escaped all the same. */
export function errorPage(error: IntegrationError, publicUrl: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><title>${escapeHtml(error.title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(error.title)}</h1><p>${escapeHtml(error.message)}</p><p>${escapeHtml(error.nextStep)}</p><p><a href="${escapeHtml(`${publicUrl}/settings/integrations`)}">Back to the integrations</a></p></main></body></html>
`;
}
