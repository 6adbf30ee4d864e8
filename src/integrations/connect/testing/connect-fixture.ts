import { DataSource } from 'typeorm';
import { startTestApp, type TestApp, type TestAppOptions } from '../../../../test/support/test-app';
import { formOn } from '../../../../demo/http-client';
import { startSandbox, type Sandbox } from '../../../../sandbox';
import type { Env } from '../../../config/env';
import { ProviderRegistry } from '../../providers/provider-registry';
import { sandboxProviders } from './sandbox-providers';
import { everythingIn, ShiftedClock } from './token-fixture';

/** Where the product sends its users back to. */
export const RETURN_TO = 'https://app.example.com/done';

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface ConnectFixture {
  readonly app: TestApp;
  readonly clock: ShiftedClock;
  readonly sandbox: Sandbox;
  readonly dataSource: DataSource;
  /** Access tokens: a user and an admin of one tenant, and a user of the same id in another. */
  readonly tokens: { readonly user: string; readonly admin: string; readonly other: string };
  call(method: string, path: string, body?: unknown, token?: string): Promise<Answer>;
  /** The address that the product's backend gets for its user. */
  session(provider: string, more?: Record<string, unknown>): Promise<string>;
  /** Decides at the provider's page; gives the address that it sends the browser back to. */
  consent(authorizeUrl: string, account: string, decision?: 'allow' | 'deny'): Promise<string>;
  /** From the session to the callback, which is not called yet. */
  toCallback(browser: Browser, provider: string, account: string, more?: Record<string, unknown>): Promise<string>;
  /** The whole way; gives the address that the browser ends at. */
  connect(provider: string, account: string, more?: Record<string, unknown>): Promise<URL>;
  tokenCalls(): number;
  everything(): Promise<string>;
  clear(): void;
  close(): Promise<void>;
}

export interface Page {
  readonly status: number;
  readonly location: string;
  readonly text: string;
  readonly headers: Headers;
}

/** Keeps the service's cookies, as a browser would, and follows nothing by itself. */
export class Browser {
  private readonly cookies = new Map<string, string>();
  readonly setCookies: string[] = [];

  async get(url: string, headers: Record<string, string> = {}): Promise<Page> {
    return this.send(url, { headers });
  }

  /** Opens a connect link and, where its page asks, presses the button. */
  async press(url: string, headers: Record<string, string> = {}): Promise<Page> {
    const page = await this.get(url, headers);
    if (page.status !== 200) return page;
    const { action, fields } = formOn(page.text);
    return this.send(new URL(action, url).href, { method: 'POST', headers, body: new URLSearchParams(fields) });
  }

  async send(
    url: string,
    { headers, ...init }: { method?: string; headers?: Record<string, string>; body?: URLSearchParams },
  ): Promise<Page> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...(cookie && { cookie }), ...headers } });
    for (const line of response.headers.getSetCookie()) {
      this.setCookies.push(line);
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name !== undefined) this.cookies.set(name, value ?? '');
    }
    return {
      status: response.status,
      location: response.headers.get('location') ?? '',
      text: await response.text(),
      headers: response.headers,
    };
  }
}

/** The whole service before a sandbox, with the small providers of the tests beside the real ones. */
export async function connectFixture(settings: Env = {}, options: Pick<TestAppOptions, 'log'> = {}): Promise<ConnectFixture> {
  const clock = new ShiftedClock();
  const sandbox = await startSandbox({ now: clock.now });
  const app = await startTestApp({
    clock,
    ...options,
    settings: {
      RETURN_TO_ORIGINS: 'https://app.example.com',
      SLACK_SCOPES: 'reactions:write',
      SLACK_USER_SCOPES: 'search:read',
      ...sandbox.env(),
      ...settings,
    },
  });
  for (const provider of Object.values(sandboxProviders(sandbox))) app.app.get(ProviderRegistry, { strict: false }).register(provider);
  const dataSource = app.app.get(DataSource, { strict: false });
  const tokens = {
    user: await app.tokenFor({ tenant: 'acme', user: 'u1' }),
    admin: await app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' }),
    other: await app.tokenFor({ tenant: 'other', user: 'u1' }),
  };
  const call: ConnectFixture['call'] = async (method, path, body, token = tokens.user) => {
    const headers = { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) };
    const response = await fetch(`${app.url}${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const session: ConnectFixture['session'] = async (provider, more = {}) => {
    const { status, body } = await call('POST', '/v1/connect-sessions', { provider, returnTo: RETURN_TO, ...more });
    expect(status).toBe(201);
    return body['connectUrl'] as string;
  };
  const consent: ConnectFixture['consent'] = async (authorizeUrl, account, decision = 'allow') => {
    const url = new URL(authorizeUrl);
    url.searchParams.set('auto', decision);
    url.searchParams.set(url.origin === sandbox.urls.slack ? 'team' : 'login_hint', account);
    return (await fetch(url, { redirect: 'manual' })).headers.get('location') as string;
  };
  const toCallback: ConnectFixture['toCallback'] = async (browser, provider, account, more) =>
    consent((await browser.press(await session(provider, more))).location, account);
  return {
    app,
    clock,
    sandbox,
    dataSource,
    tokens,
    call,
    session,
    consent,
    toCallback,
    connect: async (provider, account, more) => {
      const browser = new Browser();
      return new URL((await browser.get(await toCallback(browser, provider, account, more))).location);
    },
    tokenCalls: () =>
      sandbox.control.ledger({ kind: 'request' }).filter(({ endpoint }) => endpoint === 'oauth.v2.access' || endpoint === 'oauth.token')
        .length,
    everything: () => everythingIn(dataSource),
    clear: () => {
      sandbox.control.clearFaults();
      sandbox.control.clearLedger();
    },
    close: async () => {
      await app.close();
      await sandbox.stop();
    },
  };
}
