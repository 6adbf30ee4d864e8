import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { Browser } from '../../demo/http-client';
import type { Cluster } from './service-cluster';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** JSON where it is JSON, else the text. */
  readonly body: unknown;
  readonly durationMs: number;
}

export interface ApiRequest {
  readonly method?: string;
  readonly body?: object;
  /** In place of `body`: as a form. */
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Which process is asked. Default the first. */
  readonly member?: number;
}

/** Somebody who uses the product: calls its routes with a token, and connects accounts as a browser would. */
export interface ProductUser {
  readonly tenant: string;
  call(path: string, request?: ApiRequest): Promise<ApiAnswer>;
  /** @returns the connection's id */
  connect(provider: string, options?: { account?: string; connectionId?: string }): Promise<string>;
}

/** The sandbox's field for the account that is chosen on its consent page. */
const ACCOUNT_FIELD: Readonly<Record<string, string>> = { slack: 'team', stripe: 'account', google: 'login_hint' };

export async function productUser(cluster: Cluster, who: { tenant?: string; user?: string; role?: string } = {}): Promise<ProductUser> {
  const { tenant = 'acme', user = 'ada', role = 'user' } = who;
  const token = await new SignJWT({ tenant, role })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setJti(randomUUID())
    // Longer than a clock is moved ahead.
    .setExpirationTime('48h')
    .sign(Buffer.from(cluster.jwtSecret));
  const call = async (path: string, { method, body, form, headers = {}, member = 0 }: ApiRequest = {}): Promise<ApiAnswer> => {
    const startedAt = performance.now();
    const response = await fetch(`${cluster.members[member % cluster.members.length]!.url}${path}`, {
      method: method ?? ((body ?? form) ? 'POST' : 'GET'),
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
      ...(form && { body: new URLSearchParams(form) }),
      signal: AbortSignal.timeout(120_000),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(text), durationMs: performance.now() - startedAt };
  };
  const connect = async (
    provider: string,
    { account, connectionId }: { account?: string; connectionId?: string } = {},
  ): Promise<string> => {
    const session = await call('/v1/connect-sessions', {
      body: { provider, returnTo: `${cluster.members[0]!.url}/settings/integrations`, ...(connectionId && { connectionId }) },
    });
    if (session.status !== 201)
      throw new Error(`No link to connect ${provider}: ${session.status} ${JSON.stringify(session.body).slice(0, 500)}`);
    const browser = new Browser();
    const start = await browser.pressConnect((session.body as { connectUrl: string }).connectUrl);
    const consent = new URL(start.location ?? '');
    if (account) consent.searchParams.set(ACCOUNT_FIELD[provider]!, account);
    const allowed = await browser.get(consent.href);
    const landed = new URL((await browser.get(allowed.location ?? '')).location ?? 'about:blank').searchParams;
    if (landed.get('success') !== provider) throw new Error(`Connecting ${provider} came back with ${landed.get('error') ?? 'nothing'}.`);
    return landed.get('connection') ?? '';
  };
  return { tenant, call, connect };
}

/** How many answers there were of each kind, e.g. `200: 97, 429 provider_rate_limited: 3`. */
export function tally(answers: readonly ApiAnswer[]): string {
  const counts = new Map<string, number>();
  for (const { status, body } of answers) {
    const name = [status, (body as { code?: string } | null)?.code].filter(Boolean).join(' ');
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${name}: ${count}`).join(', ');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
