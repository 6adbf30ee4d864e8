import { Browser } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

interface Part {
  readonly resource: string;
  readonly partition: string | null;
  readonly error: { readonly code: string; readonly nextStep: string } | null;
  readonly nextTryAt: string | null;
}
interface Seen {
  readonly lastSync: string | null;
  readonly error: unknown;
  readonly parts: readonly Part[];
}
interface Run {
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly parts: readonly Part[];
}

/** As the providers answer. */
const NO_PUSH = {
  error: {
    errors: [
      {
        domain: 'calendar',
        reason: 'pushNotSupportedForRequestedResource',
        message: 'Push notifications are not supported by this resource.',
      },
    ],
    code: 400,
    message: 'Push notifications are not supported by this resource.',
  },
};
const FORBIDDEN = { error: { errors: [{ domain: 'global', reason: 'forbidden', message: 'Forbidden' }], code: 403, message: 'Forbidden' } };
const NO_EVENTS = {
  error: {
    message:
      "The provided key 'rk_test_*********x' does not have the required permissions for this endpoint on account 'acct_1SandboxAcme'. Having the 'rak_event_read' permission would allow this request to continue.",
    type: 'invalid_request_error',
  },
};

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());
beforeEach(() => {
  app.sandbox.control.clearFaults();
  app.sandbox.control.clearLedger();
});

/** A person who connects it, and what comes of the first sync. */
async function connected(provider: string, user: string) {
  const browser = new Browser(app, await app.tokenFor({ tenant: 'acme', user }));
  const id = (await browser.connect(provider)).searchParams.get('connection') ?? '';
  const run = () =>
    browser.eventually(async () => {
      const { body } = await browser.api<{ data: Run[] }>('GET', `/v1/connections/${id}/syncs`);
      return body.data.every(({ status }) => !['queued', 'running'].includes(status)) ? body.data[0] : undefined;
    });
  const seen = async () => (await browser.api<Seen>('GET', `/v1/connections/${id}`)).body;
  const sync = async (type: 'full' | 'incremental') => {
    await browser.api('POST', `/v1/connections/${id}/syncs`, { type });
    return run();
  };
  return { browser, id, run, seen, sync };
}

const asked = (endpoint: string) => app.sandbox.control.ledger({ kind: 'request', endpoint });
/** Of the account's two calendars the one that is not the person's own. */
const TEAM = '@group.calendar.google.com';

describe('Google', () => {
  it('watches the calendars that can be watched in the first round, and remembers the one that cannot', async () => {
    app.sandbox.control.addFault({
      kind: 'status',
      status: 400,
      body: NO_PUSH,
      provider: 'google',
      endpoint: 'events.watch',
      path: TEAM,
    });
    const { run, seen, sync } = await connected('google', 'ada');
    expect(await run()).toMatchObject({ status: 'succeeded', error: null, parts: [] });
    const first = await eventually(() => (asked('events.watch').length === 2 ? asked('events.watch') : undefined));
    expect(first.map(({ status }) => status).sort()).toEqual([200, 400]);
    await sync('incremental');
    await sync('full');
    expect(asked('events.watch')).toHaveLength(2);
    expect((await seen()).lastSync).not.toBeNull();
  });

  it('reads the calendars that it may, names the one that it may not, and asks for that ever more rarely', async () => {
    app.sandbox.control.addFault({
      kind: 'status',
      status: 403,
      body: FORBIDDEN,
      provider: 'google',
      endpoint: 'events.list',
      path: TEAM,
    });
    const { browser, id, run, seen, sync } = await connected('google', 'bob');
    const part = { resource: 'events', partition: expect.stringContaining(TEAM) as string, error: { code: 'provider_forbidden' } };
    expect(await run()).toMatchObject({ status: 'succeeded', parts: [part] });
    expect((await run()).error?.message).toMatch(/^Calendar events \(1 of 2 read\): /);
    const { lastSync, error, parts } = await seen();
    expect(lastSync).not.toBeNull();
    expect(error).toBeNull();
    expect(parts.filter((one) => one.error)).toMatchObject([part]);
    expect(Date.parse(parts[0]?.nextTryAt ?? '')).toBeGreaterThan(Date.now());
    expect((await browser.records(id, 'events')).ids.length).toBeGreaterThan(0);
    expect((await browser.records(id, 'messages')).ids.length).toBeGreaterThan(0);

    app.sandbox.control.clearFaults();
    expect(await sync('incremental')).toMatchObject({ status: 'succeeded', error: null, parts: [] });
    expect((await seen()).parts.filter((one) => one.error)).toEqual([]);
  });
});

describe('Stripe', () => {
  it('reads the lists with a key that may not read events, whole and what changes later', async () => {
    app.sandbox.control.addFault({ kind: 'status', status: 403, body: NO_EVENTS, provider: 'stripe', endpoint: 'events.list' });
    const { browser, id, run, sync } = await connected('stripe', 'ada');
    expect(await run()).toMatchObject({ status: 'succeeded', error: null, parts: [] });
    const before = (await browser.records(id, 'customers')).ids;
    const customer = String(app.sandbox.control.change('stripe', 'customers', { account: 'acct_1SandboxAcme', name: 'New' })['id']);
    expect(await sync('incremental')).toMatchObject({ status: 'succeeded', error: null });
    expect((await browser.records(id, 'customers')).ids.sort()).toEqual([...before, customer].sort());
  });
});

async function eventually<T>(look: () => T | undefined): Promise<T> {
  for (const until = Date.now() + 20_000; Date.now() < until; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const found = look();
    if (found !== undefined) return found;
  }
  throw new Error('It did not come to pass in time.');
}
