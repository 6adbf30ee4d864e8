import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { escapeHtml } from './consent';
import type { SandboxControl } from './control';
import type { FaultSpec } from './faults';
import type { DeliverSpec } from './storm';

const read = (path: string) => readFileSync(join(__dirname, path), 'utf8');
/** In the colors of the service's own pages. */
const STYLE = read('../src/ui/assets/colors.css') + read('control.css');
const SHOWN_ENTRIES = 40;
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
  'cache-control': 'no-store',
};

/** Buttons that make requests fail, each for the next five of a provider. */
const FAULTS: Readonly<Record<string, readonly [label: string, spec: FaultSpec]>> = {
  limited: ['429', { kind: 'rate-limit', retryAfter: '2', count: 5 }],
  failing: ['503', { kind: 'status', status: 503, count: 5 }],
  slow: ['Slow (3 s)', { kind: 'latency', latencyMs: 3_000, count: 5 }],
  reset: ['Cut off', { kind: 'reset', count: 5 }],
};
/** Buttons that send webhooks. */
const DELIVERIES: Readonly<Record<string, readonly [label: string, spec: Omit<DeliverSpec, 'provider' | 'type'>]>> = {
  once: ['Send one', {}],
  duplicates: ['The same three times', { copies: 3 }],
  disorder: ['Twenty in disorder', { count: 20, shuffle: true }],
  storm: ['A storm: 500, each twice', { count: 500, copies: 2, shuffle: true, concurrency: 32, retries: 3 }],
};

/** What there is, what happened, and a button for each thing that may go wrong. */
export function controlPage(control: SandboxControl, urls: Readonly<Record<string, string>>, said: string | undefined): string {
  const state = control.state() as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  const cards = Object.entries(state).map(([provider, accounts]) => providerCard(provider, urls[provider] ?? '', accounts));
  const faults = control.faults().map((fault) => `<li><code>${escapeHtml(JSON.stringify(fault))}</code></li>`);
  const entries = control.ledger().slice(-SHOWN_ENTRIES).reverse();
  const rows = entries.map(
    ({ at, kind, provider, account, endpoint, status, outcome, fault }) =>
      `<tr>${[new Date(at).toISOString().slice(11, 23), kind, provider, account ?? '', endpoint, status ?? outcome, fault ?? ''].map((cell) => `<td>${escapeHtml(String(cell))}</td>`).join('')}</tr>`,
  );
  return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Sandbox</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><header><h1>Sandbox</h1><p>Pretend providers on this machine. The verbs behind these buttons: <a href="/">JSON</a>.</p></header>
<main>${said === undefined ? '' : `<p class="said" role="status">${escapeHtml(said)}</p>`}
<div class="cards">${cards.join('')}</div>
<section class="card"><h2>Faults that are caused now: ${faults.length}</h2>${faults.length > 0 ? `<ul>${faults.join('')}</ul>${button({ act: 'clear' }, 'End all')}` : '<p>None.</p>'}</section>
<section class="card"><h2>What happened, the newest first</h2>
<table><thead><tr><th>At (UTC)</th><th>Kind</th><th>Provider</th><th>Account</th><th>What</th><th>Status</th><th>Fault</th></tr></thead><tbody>${rows.join('')}</tbody></table></section></main></body></html>`;
}

function providerCard(provider: string, url: string, accounts: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(accounts);
  const rows = names.map(
    (account) =>
      `<li><code>${escapeHtml(account)}</code> <span class="soft">${escapeHtml(JSON.stringify(accounts[account]))}</span>
      <div class="row">${button({ act: 'revoke', provider, account }, 'Revoke', `the access to ${account}`)}${button({ act: 'expire', provider, account }, 'Expire', `the tokens of ${account}`)}</div></li>`,
  );
  const faults = Object.entries(FAULTS).map(([fault, [label]]) => button({ act: 'fault', provider, fault }, label, `for ${provider}`));
  const deliveries = Object.entries(DELIVERIES).map(([how, [label]]) => `<button name="how" value="${how}">${escapeHtml(label)}</button>`);
  return `<section class="card"><h2>${escapeHtml(provider)}</h2><p><code>${escapeHtml(url)}</code></p>
<h3>Accounts: ${names.length}</h3>${names.length > 0 ? `<ul>${rows.join('')}</ul>` : '<p>Nobody has connected one.</p>'}
<h3>Its next five answers</h3><div class="row">${faults.join('')}</div>
<h3>Webhooks</h3><form method="post" action="/page">${hidden({ act: 'deliver', provider })}
<label>Type of event <input name="type" required autocomplete="off" spellcheck="false"></label>${deliveries.join('')}</form></section>`;
}

/** Does what a button says. @returns a sentence of what was done */
export async function actOfPage(control: SandboxControl, fields: URLSearchParams): Promise<string> {
  const provider = fields.get('provider') ?? '';
  const account = fields.get('account') ?? undefined;
  switch (fields.get('act')) {
    case 'revoke':
      return `${control.revokeTokens(provider, account)} grants of ${provider} are revoked.`;
    case 'expire':
      return `${control.expireTokens(provider, account)} tokens of ${provider} are expired.`;
    case 'clear':
      return `${control.clearFaults()} faults are ended.`;
    case 'fault': {
      const known = FAULTS[fields.get('fault') ?? ''];
      if (!known) throw new Error('There is no such fault.');
      control.provider(provider);
      control.addFault({ ...known[1], provider });
      return `The next five answers of ${provider}: ${known[0]}.`;
    }
    case 'deliver': {
      const known = DELIVERIES[fields.get('how') ?? 'once'];
      if (!known) throw new Error('There is no such way to send.');
      const { events, deliveries } = await control.deliver({ ...known[1], provider, type: fields.get('type') ?? '' });
      return `${events} events of ${provider} were sent in ${deliveries} deliveries.`;
    }
    default:
      throw new Error('There is no such button.');
  }
}

/** Whether a form was sent from this page: any page of the same browser could send one here. */
export function isOwnForm({ headers }: IncomingMessage): boolean {
  return headers.origin === `http://${headers.host}`;
}

function button(fields: Readonly<Record<string, string>>, label: string, about = ''): string {
  const named = about === '' ? '' : ` aria-label="${escapeHtml(`${label} ${about}`)}"`;
  return `<form method="post" action="/page">${hidden(fields)}<button${named}>${escapeHtml(label)}</button></form>`;
}

function hidden(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`)
    .join('');
}
