import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FaultSpec, type LedgerEntry, type Sandbox, startSandbox } from '.';
import { postForm, postJson } from './testing/consent';
import { type Receiver, startReceiver } from './testing/receiver';

describe('faults, ledger and control', () => {
  let sandbox: Sandbox;
  let receiver: Receiver;
  let folder: string;
  let token: string;
  let channel: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
    receiver = await startReceiver();
    sandbox = await startSandbox({ ledgerFile: join(folder, 'ledger.jsonl'), stateFile: join(folder, 'state.json'), webhookRetryMs: [1] });
    token = String(sandbox.control.mint({ provider: 'slack' })['access_token']);
    channel = String(sandbox.control.change('slack', 'channels', { name: 'here' })['id']);
  });

  afterEach(async () => {
    await sandbox.stop();
    await receiver.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const slack = (method: string, fields: Record<string, string> = {}, signal: AbortSignal | null = null): Promise<Response> =>
    fetch(`${sandbox.urls.slack}/api/${method}`, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { authorization: `Bearer ${token}` },
      signal,
    });
  const post = (signal: AbortSignal | null = null): Promise<Response> => slack('chat.postMessage', { channel, text: 'Hello' }, signal);
  const posted = (): number => (sandbox.control.state().slack['T_ACME'] as { messages: unknown[] }).messages.length;
  const fault = (spec: FaultSpec): void => void sandbox.control.addFault(spec);
  const lastEntry = async (): Promise<LedgerEntry | undefined> => {
    await new Promise((resolve) => setImmediate(resolve));
    return sandbox.control.ledger({ kind: 'request' }).at(-1);
  };

  it.each([
    ['a number', '7', '7'],
    ['a date', 'Wed, 21 Oct 2099 07:28:00 GMT', 'Wed, 21 Oct 2099 07:28:00 GMT'],
    ['garbage', 'soon', 'soon'],
    ['nothing', null, null],
  ])('answers 429 with %s in Retry-After, as often as asked, and does not act', async (_name, retryAfter, seen) => {
    fault({ kind: 'status', status: 429, retryAfter, provider: 'slack', endpoint: 'chat.*', count: 2 });
    const answers = [await post(), await post(), await post()];
    expect(answers.map((answer) => answer.status)).toEqual([429, 429, 200]);
    expect(answers[0]?.headers.get('retry-after')).toBe(seen);
    expect(posted()).toBe(1);
  });

  it("limits in each provider's own way", async () => {
    const google = String(sandbox.control.mint({ provider: 'google' })['access_token']);
    const stripe = String(sandbox.control.mint({ provider: 'stripe' })['access_token']);
    fault({ kind: 'rate-limit' });
    const slackAnswer = await post();
    expect([slackAnswer.status, slackAnswer.headers.get('retry-after'), await slackAnswer.json()]).toEqual([
      429,
      '1',
      { ok: false, error: 'ratelimited' },
    ]);
    const googleAnswer = await fetch(`${sandbox.urls.google}/calendar/v3/users/me/calendarList`, {
      headers: { authorization: `Bearer ${google}` },
    });
    expect([googleAnswer.status, await googleAnswer.json()]).toMatchObject([
      403,
      { error: { errors: [{ reason: 'rateLimitExceeded', domain: 'usageLimits' }] } },
    ]);
    const stripeAnswer = await fetch(`${sandbox.urls.stripe}/v1/customers`, { headers: { authorization: `Bearer ${stripe}` } });
    expect([stripeAnswer.status, await stripeAnswer.json()]).toMatchObject([429, { error: { code: 'rate_limit' } }]);
  });

  it('enforces a limit of calls a second for each account', async () => {
    fault({ kind: 'limit', provider: 'slack', endpoint: 'chat.postMessage', perSecond: 0.01, burst: 2 });
    const statuses = [await post(), await post(), await post()].map((answer) => answer.status);
    expect(statuses).toEqual([200, 200, 429]);
    expect(posted()).toBe(2);
  });

  it('resets the connection before the work, or after it: the ambiguous case', async () => {
    fault({ kind: 'reset', endpoint: 'chat.postMessage', count: 1 });
    await expect(post()).rejects.toThrow();
    expect([posted(), (await lastEntry())?.applied, (await lastEntry())?.outcome]).toEqual([0, false, 'reset']);
    fault({ kind: 'reset-after', endpoint: 'chat.postMessage', count: 1 });
    await expect(post()).rejects.toThrow();
    expect([posted(), (await lastEntry())?.applied, (await lastEntry())?.outcome]).toEqual([1, true, 'reset']);
  });

  it('hangs without an answer, and trickles bytes', async () => {
    fault({ kind: 'hang', endpoint: 'chat.postMessage', count: 1 });
    await expect(post(AbortSignal.timeout(80))).rejects.toThrow(/timeout|aborted/i);
    expect(await lastEntry()).toMatchObject({ outcome: 'hung', status: null, applied: false });
    fault({ kind: 'slow-headers', endpoint: 'chat.postMessage', count: 1, byteIntervalMs: 20 });
    await expect(post(AbortSignal.timeout(80))).rejects.toThrow(/timeout|aborted/i);
    fault({ kind: 'slow-body', endpoint: 'chat.postMessage', count: 1, byteIntervalMs: 20 });
    const response = await post(AbortSignal.timeout(1500));
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow(/timeout|aborted/i);
  });

  it('spoils bodies: cut JSON, HTML with 200, another content type, no error in a 500', async () => {
    for (const kind of ['truncated-json', 'html-200', 'wrong-content-type', 'no-error-json', 'cut-body'] as const)
      fault({ kind, endpoint: 'auth.test', count: 1 });
    await expect((await slack('auth.test')).json()).rejects.toThrow();
    const html = await slack('auth.test');
    expect([html.status, html.headers.get('content-type'), (await html.text()).startsWith('<!DOCTYPE html>')]).toEqual([
      200,
      'text/html',
      true,
    ]);
    const plain = await slack('auth.test');
    expect([plain.headers.get('content-type'), (JSON.parse(await plain.text()) as { ok: boolean }).ok]).toEqual(['text/plain', true]);
    const odd = await slack('auth.test');
    expect([odd.status, await odd.json()]).toEqual([500, { message: 'upstream' }]);
    await expect((await slack('auth.test')).text()).rejects.toThrow();
  });

  it('sends a body that is big, and one that only becomes big', async () => {
    fault({ kind: 'big-body', megabytes: 3, count: 1 });
    expect((await (await slack('auth.test')).text()).length).toBeGreaterThan(3_000_000);
    fault({ kind: 'gzip-bomb', megabytes: 5, count: 1 });
    const bomb = await slack('auth.test');
    expect(bomb.headers.get('content-encoding')).toBe('gzip');
    expect((await bomb.arrayBuffer()).byteLength).toBeGreaterThan(5_000_000);
  });

  it('refuses a refresh, and loses the answer to one that rotated', async () => {
    const env = sandbox.env();
    const first = sandbox.control.mint({ provider: 'slack', account: 'T_TWO' });
    const refresh = (): ReturnType<typeof postForm> =>
      postForm(env['SLACK_TOKEN_URL'] ?? '', {
        grant_type: 'refresh_token',
        refresh_token: String(first['refresh_token']),
        client_id: env['SLACK_CLIENT_ID'] ?? '',
        client_secret: env['SLACK_CLIENT_SECRET'] ?? '',
      });
    fault({ kind: 'refuse-refresh', provider: 'slack', account: 'T_TWO', count: 1 });
    expect((await refresh()).body).toEqual({ ok: false, error: 'invalid_refresh_token' });
    fault({ kind: 'drop-after-rotate', provider: 'slack', count: 1 });
    await expect(refresh()).rejects.toThrow();
    expect((await refresh()).body).toEqual({ ok: false, error: 'invalid_refresh_token' });
  });

  it('delays answers, and only of the account that is named', async () => {
    fault({ kind: 'latency', latencyMs: 120, account: 'T_OTHER' });
    await slack('auth.test');
    expect((await lastEntry())?.fault).toBeUndefined();
    fault({ kind: 'latency', latencyMs: 120, account: 'T_ACME' });
    const startedAt = Date.now();
    await slack('auth.test');
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(119);
    expect(await lastEntry()).toMatchObject({ fault: 'latency', status: 200, applied: true });
  });

  it('keeps every request in the ledger, without a token in it, in memory and in the file', async () => {
    await post();
    await slack('nonsense');
    await fetch(`${sandbox.urls.google}/nowhere?token=ya29.canary`);
    const entries = sandbox.control.ledger({ kind: 'request' });
    expect(entries.map(({ provider, endpoint, status, account }) => [provider, endpoint, status, account])).toEqual([
      ['slack', 'chat.postMessage', 200, 'T_ACME'],
      ['slack', 'nonsense', 200, 'T_ACME'],
      ['google', 'unknown', 404, undefined],
    ]);
    expect(entries[0]?.token).toMatch(/^[0-9a-f]{12}$/);
    expect(entries[0]?.detail).toMatchObject({ channel });
    const text = readFileSync(join(folder, 'ledger.jsonl'), 'utf8');
    expect(text.trim().split('\n')).toHaveLength(3);
    expect(text + JSON.stringify(entries)).not.toMatch(/canary|xoxe|Hello/);
    const over = (await (await fetch(`${sandbox.urls.control}/ledger?provider=slack&since=${entries[0]?.seq ?? 0}`)).json()) as {
      count: number;
    };
    expect(over.count).toBe(1);
  });

  it('storms: copies, shuffled, signed or forged, and tells what was answered', async () => {
    sandbox.setWebhookTarget(receiver.origin);
    receiver.answers.push(503, 503);
    const summary = await postJson(`${sandbox.urls.control}/deliver`, {
      provider: 'stripe',
      type: ['customer.updated', 'invoice.paid'],
      count: 20,
      copies: 3,
      shuffle: true,
      concurrency: 8,
    });
    expect(summary).toMatchObject({ events: 20, deliveries: 60, byStatus: { 200: 58, 503: 2 }, acknowledged: 20, unacknowledgedIds: [] });
    const perEvent = new Map<string, number>();
    for (const { body } of receiver.received) {
      const { id } = JSON.parse(body) as { id: string };
      perEvent.set(id, (perEvent.get(id) ?? 0) + 1);
    }
    expect([...perEvent.values()]).toEqual(Array<number>(20).fill(3));
    expect(sandbox.control.ledger({ kind: 'delivery' })).toHaveLength(60);
    expect(await postJson(`${sandbox.urls.control}/deliver`, { provider: 'nobody', type: 'x' })).toEqual({
      error: 'provider must be one of slack, stripe, google',
    });
  });

  it('stops sending when a webhook is refused to the end', async () => {
    sandbox.setWebhookTarget(receiver.origin);
    receiver.answers.push(500, 500, 500);
    sandbox.control.change('slack', 'channels', { name: 'unlucky' });
    expect(await sandbox.control.settle()).toBe(true);
    expect(sandbox.control.ledger({ kind: 'delivery' }).map(({ attempt, status }) => [attempt, status])).toEqual([
      [0, 500],
      [1, 500],
    ]);
  });

  it('knows its accounts, data and tokens after a restart, and keeps only hashes of tokens', async () => {
    await post();
    await sandbox.stop();
    expect(readFileSync(join(folder, 'state.json'), 'utf8')).not.toContain(token);
    const before = sandbox.env();
    sandbox = await startSandbox({ stateFile: join(folder, 'state.json') });
    expect(sandbox.env()['SLACK_SIGNING_SECRET']).toBe(before['SLACK_SIGNING_SECRET']);
    expect(await (await slack('auth.test')).json()).toMatchObject({ ok: true, team_id: 'T_ACME' });
    expect(posted()).toBe(1);
  });

  it('shows a consent page that escapes what it is given, and a refusal', async () => {
    const url = new URL(sandbox.env()['SLACK_AUTHORIZE_URL'] ?? '');
    const fields = {
      client_id: sandbox.env()['SLACK_CLIENT_ID'] ?? '',
      scope: 'chat:write',
      state: '"><script>alert(1)</script>',
      redirect_uri: 'http://127.0.0.1:3000/cb',
    };
    for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
    const page = await (await fetch(url)).text();
    expect(page).toContain('Allow');
    expect(page).not.toContain('<script>alert');
    const denied = await fetch(`${sandbox.urls.slack}/oauth/consent`, {
      method: 'POST',
      body: new URLSearchParams({ ...fields, decision: 'deny' }),
      redirect: 'manual',
    });
    const target = new URL(denied.headers.get('location') ?? '');
    expect([target.searchParams.get('error'), target.searchParams.get('state')]).toEqual(['access_denied', fields.state]);
    url.searchParams.set('client_id', 'someone');
    expect((await fetch(url)).status).toBe(400);
  });

  it('makes many records fast, without telling', async () => {
    sandbox.setWebhookTarget(receiver.origin);
    sandbox.control.seed({ provider: 'stripe', account: 'acct_1Big', resource: 'customers', count: 5000 });
    sandbox.control.seed({ provider: 'google', account: 'big@acme.test', resource: 'events', count: 5000 });
    sandbox.control.seed({ provider: 'slack', account: 'T_BIG', resource: 'users', count: 5000 });
    const state = sandbox.control.state();
    expect(state.stripe['acct_1Big']).toMatchObject({ customers: 5030 });
    expect(state.slack['T_BIG']).toMatchObject({ users: 5012 });
    expect(state.google['big@acme.test']).toMatchObject({ calendars: [{ id: 'big@acme.test', events: expect.any(Number) as number }, {}] });
    expect(receiver.received).toHaveLength(0);
  });
});
