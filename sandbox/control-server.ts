import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { SandboxControl } from './control';
import { actOfPage, controlPage, isOwnForm, PAGE_HEADERS } from './control-page';
import { listenOn, type ListeningServer, readBody } from './sandbox-server';
import type { FaultSpec } from './faults';
import { text } from './form-body';
import type { LedgerQuery } from './ledger';
import type { Json } from './sandbox.types';
import type { DeliverSpec } from './storm';

type Verb = (body: Json, query: URLSearchParams) => unknown;

/** The control API: JSON in, JSON out, on a port of its own, for loopback only. */
export function listenForControl(
  control: SandboxControl,
  env: () => Record<string, string>,
  urls: () => Record<string, string>,
  port: number,
): Promise<ListeningServer> {
  const verbs = verbsOf(control, env, urls);
  const parts = { control, urls };
  const server = createServer((incoming, outgoing) => void serve(verbs, parts, incoming, outgoing));
  return listenOn(server, port);
}

function verbsOf(control: SandboxControl, env: () => Record<string, string>, urls: () => Record<string, string>): Record<string, Verb> {
  return {
    'GET /': () => ({ urls: urls(), verbs: Object.keys(verbsOf(control, env, urls)) }),
    'GET /env': () => env(),
    'GET /ledger': (_, query) => {
      const entries = control.ledger(ledgerQuery(query));
      return { count: entries.length, lastSeq: control.lastSeq, entries };
    },
    'GET /ledger/summary': (_, query) => control.ledgerSummary(ledgerQuery(query)),
    'DELETE /ledger': () => {
      control.clearLedger();
      return { ok: true, lastSeq: control.lastSeq };
    },
    'GET /faults': () => ({ faults: control.faults() }),
    'POST /faults': (body) => control.addFault(body as unknown as FaultSpec),
    'DELETE /faults': (body, query) => {
      const id = query.get('id') ?? text(body['id']);
      const provider = query.get('provider') ?? text(body['provider']);
      return { cleared: control.clearFaults({ ...(id ? { id } : {}), ...(provider ? { provider } : {}) }) };
    },
    'GET /connections': () => control.connections(),
    'GET /state': () => control.state(),
    'POST /tokens/expire': (body) => ({ expired: control.expireTokens(providerOf(body), text(body['account'])) }),
    'POST /tokens/revoke': (body) => ({ revoked: control.revokeTokens(providerOf(body), text(body['account'])) }),
    'POST /tokens/mint': (body) => control.mint({ ...body, provider: providerOf(body) }),
    'POST /cursors/expire': (body) => ({ expired: control.expireCursors(text(body['account'])) }),
    'POST /webhook-target': (body) => {
      control.setWebhookTarget(text(body['origin']) ?? text(body['target']));
      return { ok: true };
    },
    'POST /consent': (body) => {
      const auto = body['auto'];
      control.setAutoConsent(auto === 'allow' || auto === 'deny' ? auto : undefined);
      return { ok: true };
    },
    'POST /deliver': (body) => control.deliver({ ...(body as unknown as DeliverSpec), provider: providerOf(body) }),
    'POST /deliveries/settle': async (body) => ({ settled: await control.settle(Number(body['timeoutMs'] ?? 10_000)) }),
    'POST /seed': (body) => {
      control.seed({
        provider: providerOf(body),
        account: text(body['account']) ?? '',
        resource: String(body['resource']),
        count: Number(body['count'] ?? 0),
      });
      return { ok: true };
    },
    ...Object.fromEntries(
      control.changeable().map(([provider, what]) => [`POST /${provider}/${what}`, (body: Json) => control.change(provider, what, body)]),
    ),
  };
}

async function serve(verbs: Record<string, Verb>, parts: PageParts, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const answer = (status: number, body: unknown): void => {
    outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  try {
    const url = new URL(incoming.url ?? '/', 'http://control');
    const raw = await readBody(incoming);
    if (url.pathname === '/page') return await servePage(parts, url, raw, incoming, outgoing);
    const verb = verbs[`${incoming.method ?? 'GET'} ${url.pathname}`];
    if (!verb) return answer(404, { error: `no verb ${incoming.method ?? ''} ${url.pathname}; GET / lists them` });
    const body = raw && raw.length > 0 ? (JSON.parse(raw.toString('utf8')) as Json) : {};
    answer(200, await verb(body, url.searchParams));
  } catch (error) {
    answer(400, { error: error instanceof Error ? error.message : String(error) });
  }
}

interface PageParts {
  readonly control: SandboxControl;
  readonly urls: () => Record<string, string>;
}

/** The page for people; its buttons are forms that lead back to it. */
async function servePage(
  { control, urls }: PageParts,
  url: URL,
  raw: Buffer | null,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  if (incoming.method !== 'POST') {
    outgoing.writeHead(200, PAGE_HEADERS).end(controlPage(control, urls(), url.searchParams.get('said') ?? undefined));
    return;
  }
  if (!isOwnForm(incoming)) {
    outgoing.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify({ error: 'send the form from /page' }));
    return;
  }
  const said = await actOfPage(control, new URLSearchParams(raw?.toString('utf8') ?? '')).catch((error: unknown) =>
    error instanceof Error ? error.message : String(error),
  );
  outgoing.writeHead(303, { location: `/page?said=${encodeURIComponent(said)}` }).end();
}

function ledgerQuery(query: URLSearchParams): LedgerQuery {
  const result: LedgerQuery = {};
  for (const name of ['provider', 'kind', 'endpoint', 'account'] as const) {
    const value = query.get(name);
    if (value) result[name] = value;
  }
  for (const name of ['since', 'limit'] as const) if (query.has(name)) result[name] = Number(query.get(name));
  return result;
}

function providerOf(body: Json): string {
  return String(body['provider']);
}
