import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxRequest, SandboxResponse } from './sandbox.types';

const STYLE = readFileSync(join(__dirname, 'consent.css'), 'utf8');

export interface ConsentRules {
  title: string;
  clientId: string;
  /** Query fields that carry the scopes; the first is shown. */
  scopeFields: string[];
  scopeSeparator: RegExp;
  /** Query field that names the account, and its value when absent. */
  accountField: string;
  defaultAccount: string;
  /** Whether the person may untick single scopes. */
  granular: boolean;
  needsResponseType: boolean;
  redirectUris?: string[];
  /** Decision without a person, from the options or the control API. */
  auto: () => 'allow' | 'deny' | undefined;
  /** Makes the code; further fields go into the redirect. */
  allow: (fields: URLSearchParams) => { code: string; extra?: Record<string, string> };
}

/** The authorize endpoint: a page for a person, a redirect with `auto=allow` or `auto=deny`. */
export function showConsent(request: SandboxRequest, rules: ConsentRules): SandboxResponse {
  const fault = faultIn(request.query, rules);
  if (fault) return page(400, rules.title, `<p role="alert">${escapeHtml(fault)}</p>`);
  const auto = request.query.get('auto') ?? rules.auto();
  if (auto === 'allow' || auto === 'deny') return decide(request.query, auto, rules);
  return page(200, rules.title, form(request.query, rules));
}

/** `POST /oauth/consent`: the same fields and `decision`. */
export function takeConsent(request: SandboxRequest, rules: ConsentRules): SandboxResponse {
  const fields = new URLSearchParams(request.query);
  const posted = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')
    ? new URLSearchParams(request.rawBody.toString('utf8'))
    : new URLSearchParams(Object.entries(request.body).map(([key, value]): [string, string] => [key, String(value)]));
  for (const key of new Set(posted.keys())) fields.delete(key);
  for (const [key, value] of posted) fields.append(key, value);
  const fault = faultIn(fields, rules);
  if (fault) return page(400, rules.title, `<p role="alert">${escapeHtml(fault)}</p>`);
  const allowed = fields.getAll('allowed_scope');
  if (rules.granular && fields.get('granular') === '1') fields.set(rules.scopeFields[0] as string, allowed.join(' '));
  return decide(fields, fields.get('decision') === 'allow' ? 'allow' : 'deny', rules);
}

function faultIn(fields: URLSearchParams, rules: ConsentRules): string | null {
  if (fields.get('client_id') !== rules.clientId) return 'Unknown client_id.';
  if (rules.needsResponseType && fields.get('response_type') !== 'code') return 'response_type must be "code".';
  const redirect = fields.get('redirect_uri') ?? rules.redirectUris?.[0];
  if (!redirect || !/^https?:\/\/[^\s]+$/.test(redirect)) return 'redirect_uri is missing or not an http(s) address.';
  if (rules.redirectUris && !rules.redirectUris.includes(redirect)) return 'redirect_uri is not registered for this app.';
  const method = fields.get('code_challenge_method');
  if (method && method !== 'S256' && method !== 'plain') return 'code_challenge_method must be S256 or plain.';
  if (!rules.scopeFields.some((field) => fields.get(field))) return 'No scope was asked for.';
  return null;
}

function decide(fields: URLSearchParams, decision: 'allow' | 'deny', rules: ConsentRules): SandboxResponse {
  const target = new URL(fields.get('redirect_uri') ?? (rules.redirectUris?.[0] as string));
  if (decision === 'deny') {
    target.searchParams.set('error', 'access_denied');
    target.searchParams.set('error_description', 'The user denied your request');
  } else {
    const { code, extra } = rules.allow(fields);
    target.searchParams.set('code', code);
    for (const [key, value] of Object.entries(extra ?? {})) target.searchParams.set(key, value);
  }
  const state = fields.get('state');
  if (state !== null) target.searchParams.set('state', state);
  return { status: 302, headers: { location: target.toString(), 'cache-control': 'no-store' } };
}

function form(query: URLSearchParams, rules: ConsentRules): string {
  const hidden = [...query]
    .filter(([key]) => key !== rules.accountField && key !== 'auto')
    .map(([key, value]) => `<input type="hidden" name="${escapeHtml(key)}" value="${escapeHtml(value)}">`)
    .join('');
  const scopes = rules.scopeFields.flatMap((field) => (query.get(field) ?? '').split(rules.scopeSeparator).filter(Boolean));
  const items = scopes
    .map((scope) =>
      rules.granular
        ? `<li><label><input type="checkbox" name="allowed_scope" value="${escapeHtml(scope)}" checked> <code>${escapeHtml(scope)}</code></label></li>`
        : `<li><code>${escapeHtml(scope)}</code></li>`,
    )
    .join('');
  return `<form method="post" action="/oauth/consent">${hidden}${rules.granular ? '<input type="hidden" name="granular" value="1">' : ''}
<p>An app asks for access to this account:</p>
<p><label>Account <input name="${escapeHtml(rules.accountField)}" value="${escapeHtml(query.get(rules.accountField) ?? rules.defaultAccount)}"></label></p>
<ul>${items}</ul>
<p><button name="decision" value="allow" class="allow">Allow</button> <button name="decision" value="deny">Deny</button></p></form>`;
}

function page(status: number, title: string, content: string): SandboxResponse {
  const body = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)} (sandbox)</title>
<style>${STYLE}</style></head>
<body><header><h1>${escapeHtml(title)}</h1><p>A local sandbox, not the real thing.</p></header><main>${content}</main></body></html>`;
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      'cache-control': 'no-store',
    },
    body,
  };
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
