import type { Clock } from '../../src/clock';
import { undeclaredAnswers } from '../../src/integrations/operations/answer-check';
import { Browser } from './browser';
import { startTestApp, type TestApp } from './test-app';

export interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly declineCode?: string;
}

export interface ConnectedApp {
  readonly app: TestApp;
  /** Ada of acme's. */
  readonly browser: Browser;
  /** Hers, by provider. */
  readonly connections: Record<string, string>;
  /** A request below `/v1/connections/<her connection>/`. */
  call<T>(
    method: string,
    provider: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: T & Problem; replayed: boolean }>;
  /** What the sandbox was asked since the test began. */
  hits(endpoint: string): ReturnType<TestApp['sandbox']['control']['ledger']>;
}

/**
 * For a whole file: the service, with a user who is connected to every provider that has code. Each test begins without faults, and the
 * file fails where an operation answered something else than it declares.
 */
export function useConnectedApp(options: { readonly clock?: Clock } = {}): ConnectedApp {
  let app: TestApp;
  let browser: Browser;
  const connections: Record<string, string> = {};
  beforeAll(async () => {
    app = await startTestApp(options);
    browser = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'ada' }));
    for (const provider of ['slack', 'stripe', 'google'])
      connections[provider] = (await browser.connect(provider)).searchParams.get('connection') ?? '';
  });
  afterAll(async () => {
    await app.close();
    const { values } = await undeclaredAnswers.get();
    expect(values.map(({ labels }) => labels.operation)).toEqual([]);
  });
  beforeEach(() => {
    app.sandbox.control.clearFaults();
    app.sandbox.control.clearLedger();
  });
  return {
    get app() {
      return app;
    },
    get browser() {
      return browser;
    },
    connections,
    call: async <T>(method: string, provider: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
      const answer = await browser.api<T & Problem>(method, `/v1/connections/${connections[provider]}/${path}`, body, { headers });
      return { status: answer.status, body: answer.body, replayed: answer.headers.get('idempotent-replayed') === 'true' };
    },
    hits: (endpoint) => app.sandbox.control.ledger({ kind: 'request', endpoint }),
  };
}
