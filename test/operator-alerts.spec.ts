import { systemClock } from '../src/clock';
import { AlertEvaluator } from '../src/integrations/monitoring/alert-evaluator';
import { RequestLogWriter } from '../src/integrations/outbound/request-log/request-log-writer';
import { isMintedAnew, ProviderRegistry } from '../src/integrations';
import { faultOf } from '../src/integrations/outbound/provider-fault';
import { Browser } from './support/browser';
import { useConnectedApp, type Problem } from './support/connected-app';

interface Alert {
  readonly kind: string;
  readonly provider: string;
  readonly detail: string;
  readonly nextStep: string;
}

/** Where the clock stands still: a pause lasts then until the test goes on, however slow the machine is. */
let standsAt: number | undefined;
const test = useConnectedApp({ clock: { ...systemClock, now: () => standsAt ?? systemClock.now() } });

const refuse = (provider: string, endpoint: string, status: number, body: object) =>
  test.app.sandbox.control.addFault({ kind: 'status', provider, endpoint, status, body });

/** What the operator is told now. */
async function told(): Promise<Alert[]> {
  const part = <T>(type: abstract new (...args: never[]) => T) => test.app.app.get<T>(type, { strict: false });
  await part(RequestLogWriter).flush();
  await part(AlertEvaluator).evaluate();
  const token = await test.app.tokenFor({ tenant: 'us', user: 'op', role: 'operator' });
  const { body } = await test.browser.api<{ data: Alert[] }>('GET', '/v1/admin/alerts?state=open', undefined, { token });
  return body.data.filter(({ kind }) => kind === 'provider_misconfigured');
}

describe('a call that is refused for how this application is set up', () => {
  it.each([
    [
      'google',
      'events.list',
      'events.list',
      {},
      403,
      { error: { errors: [{ reason: 'accessNotConfigured' }] } },
      'accessNotConfigured',
      /Google Cloud console/,
    ],
    ['slack', 'channels.list', 'conversations.list', {}, 200, { ok: false, error: 'accesslimited' }, 'accesslimited', /addresses/],
    [
      'stripe',
      'subscriptions.resume',
      'subscriptions.update',
      { subscriptionId: 'sub_1' },
      401,
      { error: { type: 'invalid_request_error', message: 'Invalid API Key provided' } },
      'invalid_request_error',
      /STRIPE_SECRET_KEY/,
    ],
  ] as const)(
    'at %s (%s) leaves the connection, and tells the operator once which setting to mend',
    async (provider, operation, endpoint, input, status, body, code, setting) => {
      refuse(provider, endpoint, status, body);
      for (let call = 0; call < 3; call++)
        expect(await test.call('POST', provider, `operations/${operation}`, input)).toMatchObject({
          status: 502,
          body: { code: 'provider_misconfigured' },
        });
      const connection = await test.browser.api('GET', `/v1/connections/${test.connections[provider]}`);
      expect(connection.body).toMatchObject({ status: 'connected' });

      const alerts = (await told()).filter((alert) => alert.provider === provider);
      expect(alerts).toMatchObject([
        { detail: expect.stringContaining(code) as string, nextStep: expect.stringMatching(setting) as string },
      ]);
      const token = await test.app.tokenFor({ tenant: 'acme', user: 'boss', role: 'admin' });
      const { body: seen } = await test.browser.api<{ data: Alert[] }>('GET', '/v1/admin/alerts', undefined, { token });
      expect(seen.data.filter(({ kind }) => kind === 'provider_misconfigured')).toEqual([]);
    },
  );
});

describe('a connection whose set-up is refused behind it', () => {
  afterEach(() => {
    standsAt = undefined;
  });
  let people = 0;
  /** One more person who is connected to Google, and what she can ask. */
  async function person() {
    const browser = new Browser(test.app, await test.app.tokenFor({ tenant: 'acme', user: `person-${++people}` }));
    const id = (await browser.connect('google')).searchParams.get('connection') ?? '';
    const ask = () => browser.api<Problem & { nextStep: string }>('POST', `/v1/connections/${id}/operations/events.list`, {});
    const status = async () => (await browser.api<{ status: string }>('GET', `/v1/connections/${id}`)).body.status;
    return { browser, id, ask, status };
  }
  const expired = { error: { code: 401, errors: [{ reason: 'authError' }], status: 'UNAUTHENTICATED' } };

  it.each([
    ['a client that was deleted', 401, 'deleted_client', 'provider_misconfigured', /looked into/],
    ['a rule of the organization', 400, 'admin_policy_enforced', 'organization_forbids', /administrator/],
    ['a code that nobody knows', 400, 'a_code_of_tomorrow', 'refresh_refused', /^(?!.*(sign|connect))/i],
  ] as const)('by %s reads whose it is to act, and works again by itself', async (_, answer, error, code, words) => {
    const { ask, status } = await person();
    test.app.sandbox.control.clearLedger();
    const noFaults = () => test.app.sandbox.control.clearFaults();
    refuse('google', 'events.list', 401, expired);
    refuse('google', 'oauth.token', answer, { error });
    standsAt = systemClock.now();
    for (let call = 0; call < 2; call++) {
      const refused = await ask();
      expect(refused.body).toMatchObject({ code, nextStep: expect.stringMatching(words) as string });
    }
    expect(await status()).toBe('connected');
    // The second call did not ask again: there is a pause, and it grows.
    const renewed = test.hits('oauth.token').map(({ token }) => token);
    expect(renewed).not.toEqual([]);
    // That of another, whose first sync still goes on, may be among them.
    expect(renewed).toEqual([...new Set(renewed)]);
    standsAt = undefined;
    const alerts = (await told()).filter(({ provider }) => provider === 'google');
    expect(alerts).toHaveLength(1);
    if (code !== 'organization_forbids') expect(alerts[0]?.detail).toContain(error);
    noFaults();
    await test.browser.eventually(async () => ((await ask()).status === 200 ? true : undefined));
  });

  it('by an address that is not verified goes on syncing, renews no token for it, and the operator reads PUBLIC_URL', async () => {
    const reason = 'push.webhookUrlUnauthorized';
    refuse('google', 'events.watch', 401, { error: { code: 401, errors: [{ reason, domain: 'global' }] } });
    const { browser, id, status } = await person();
    await browser.eventually(async () => (test.hits('events.watch').length > 0 ? true : undefined));
    const run = await browser.eventually(async () => {
      const { body } = await browser.api<{ data: { status: string }[] }>('GET', `/v1/connections/${id}/syncs`);
      return body.data.find((each) => each.status === 'succeeded');
    });
    expect(run).toBeDefined();
    expect(await status()).toBe('connected');
    // That of the connect.
    expect(test.hits('oauth.token')).toHaveLength(1);
    const alerts = (await told()).filter(({ provider }) => provider === 'google');
    expect(alerts).toMatchObject([
      { detail: expect.stringContaining(reason) as string, nextStep: expect.stringContaining('PUBLIC_URL') as string },
    ]);
  });
});

describe('a refusal of the token endpoint', () => {
  const read = (key: string, status: number, error: string, step: 'refresh' | 'exchange' = 'refresh') => {
    const provider = test.app.app.get(ProviderRegistry, { strict: false }).get(key);
    // Slack's way to say no is a 200.
    const json = key === 'slack' ? { ok: false, error } : { error };
    return faultOf(provider, { status, headers: new Headers(), body: Buffer.alloc(0), json }, 0, { step });
  };
  const signingIn = () =>
    test.app.app
      .get(ProviderRegistry, { strict: false })
      .all()
      .filter(({ oauth2 }) => oauth2 && !isMintedAnew(oauth2));

  it("is the user's, the operator's, the organization's or nobody's that is known, at every provider and with every status", () => {
    const met = signingIn();
    expect(met.length).toBeGreaterThan(100);
    for (const { key, oauth2 } of met)
      for (const status of key === 'slack' ? [200] : [200, 400, 401, 403]) {
        const parties = [
          [oauth2?.refusalCodes, 'needs_reauth'],
          [oauth2?.clientFaultCodes, 'provider_misconfigured'],
          [oauth2?.organizationCodes, 'organization_forbids'],
          [['a_code_of_tomorrow'], 'refresh_refused'],
        ] as const;
        for (const [codes = [], code] of parties)
          for (const each of codes)
            expect([key, status, each, read(key, status, each)]).toMatchObject([
              key,
              status,
              each,
              { code, providerCode: each, retryable: false, notExecuted: true },
            ]);
        expect(read(key, status, 'a_code_of_tomorrow', 'exchange')?.code).toBe('connect_failed');
      }
  });

  it('is none where the endpoint is busy or broken', () => {
    for (const { key } of signingIn())
      for (const [status, code] of [
        [429, 'provider_rate_limited'],
        [503, 'provider_unavailable'],
      ] as const)
        expect([key, read(key, status, 'temporarily_unavailable')?.code]).toEqual([key, code]);
  });

  it("is the person's where the client is the person's own", () => {
    const own = test.app.app
      .get(ProviderRegistry, { strict: false })
      .all()
      .filter(({ oauth2 }) => oauth2?.grant === 'client_credentials');
    expect(own.length).toBeGreaterThan(0);
    for (const { key } of own) expect([key, read(key, 401, 'invalid_client')?.code]).toEqual([key, 'needs_reauth']);
  });

  it('of an installation is the account’s where it says so, and never costs a connection for what the app showed', () => {
    const installed = test.app.app
      .get(ProviderRegistry, { strict: false })
      .all()
      .filter(({ oauth2 }) => oauth2?.installation);
    expect(installed.length).toBeGreaterThan(0);
    for (const provider of installed) {
      const codeOf = (status: number, json: unknown, step: 'refresh' | 'mint' = 'refresh') =>
        faultOf(provider, { status, headers: new Headers(), body: Buffer.alloc(0), json }, 0, { step })?.code;
      for (const step of ['refresh', 'mint'] as const)
        expect([401, 429, 500, 503].map((status) => codeOf(status, { message: 'Not Found' }, step))).toEqual([
          'provider_misconfigured',
          'provider_rate_limited',
          'provider_unavailable',
          'provider_unavailable',
        ]);
      // What is no answer of the provider's own is one of a gate before it, or of an address that is wrong.
      for (const status of [400, 403, 404, 422]) {
        expect([status, codeOf(status, undefined), codeOf(status, {})]).toEqual([status, 'refresh_refused', 'refresh_refused']);
        expect([status, codeOf(status, {}, 'mint')]).toEqual([status, 'connect_failed']);
      }
    }
  });

  it("is the person's where a sign-in call refuses what the person filled in, unless a gate before it or a limit did", () => {
    const own = test.app.app
      .get(ProviderRegistry, { strict: false })
      .all()
      .filter(({ oauth2 }) => oauth2?.grant === 'login');
    expect(own.length).toBeGreaterThan(0);
    for (const provider of own) {
      const codeOf = (status: number, json?: unknown) =>
        faultOf(provider, { status, headers: new Headers(), body: Buffer.alloc(0), json }, 0, { step: 'refresh' })?.code;
      expect([401, 403, 429, 500, 503].map((status) => codeOf(status, { message: 'no' }))).toEqual([
        'needs_reauth',
        'needs_reauth',
        'provider_rate_limited',
        'provider_unavailable',
        'provider_unavailable',
      ]);
      expect([codeOf(401), codeOf(403), codeOf(400, {})]).toEqual(['needs_reauth', 'refresh_refused', 'refresh_refused']);
    }
  });
});
