import { ProviderRegistry, type LimitFacts } from '../src/integrations';
import { Browser, type Change } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

interface Run {
  readonly status: string;
  readonly type: string;
  readonly counts: { readonly deleted: number };
  readonly error: { readonly message: string } | null;
  readonly parts: readonly { readonly resource: string; readonly partition: string | null; readonly error: unknown }[];
}

let app: TestApp;
let people = 0;

beforeAll(async () => {
  app = await startTestApp({ settings: { GOOGLE_MAIL_NEWEST: '200' } });
  // What a person may ask in a minute is too little for four hundred mails in a test.
  const { limits } = app.app.get(ProviderRegistry, { strict: false }).get('google').http as { limits: Record<string, LimitFacts> };
  limits['gmail-person'] = { ...limits['gmail-person']!, perSecond: 10_000, burst: 100_000 };
});
afterAll(() => app.close());
beforeEach(() => {
  app.sandbox.control.clearFaults();
  app.sandbox.control.clearLedger();
});

/** A new person at Google who connects it, with as many further calendars as are named. */
async function connected(prepare: (account: string) => void = () => undefined) {
  const account = `person${++people}@acme.test`;
  prepare(account);
  const browser = new Browser(app, await app.tokenFor({ tenant: 'acme', user: `user-${people}` }));
  const id = (await browser.connect('google', { login_hint: account, account })).searchParams.get('connection') ?? '';
  const latest = () =>
    browser.eventually(async () => {
      const { body } = await browser.api<{ data: Run[] }>('GET', `/v1/connections/${id}/syncs`);
      return body.data.length > 0 && body.data.every(({ status }) => !['queued', 'running'].includes(status)) ? body.data[0] : undefined;
    });
  const sync = async (type: 'full' | 'incremental', resources?: string[]) => {
    const { status } = await browser.api('POST', `/v1/connections/${id}/syncs`, { type, ...(resources && { resources }) });
    expect(status).toBe(202);
    return latest();
  };
  const living = async (resource: string) => {
    const { ids, changes } = await browser.records(id, resource);
    const last = new Map(changes.map((change) => [change.id, change]));
    return ids.map((each) => last.get(each) as Change);
  };
  const seen = async () =>
    (await browser.api<{ lastSync: string | null; error: unknown; status: string }>('GET', `/v1/connections/${id}`)).body;
  return { account, browser, id, latest, sync, living, seen };
}

/** Of one person's: what others set off may still go on. */
const asked = (endpoint: string, account: string) => app.sandbox.control.ledger({ kind: 'request', endpoint, account });
const refuse = (endpoint: string, path: string, status: number, body: object) =>
  app.sandbox.control.addFault({ kind: 'status', provider: 'google', endpoint, path, status, body });

describe('a mailbox of which Google forgot the history', () => {
  it('keeps 210 mails where a full run reads the newest 200', async () => {
    const { account, latest, sync, living } = await connected();
    await latest();
    expect(await living('messages')).toHaveLength(10);
    app.sandbox.control.seed({ provider: 'google', account, resource: 'messages', count: 200 });
    await sync('incremental');
    expect(await living('messages')).toHaveLength(210);

    app.sandbox.control.expireCursors(account);
    const run = await sync('incremental', ['messages']);
    expect(asked('gmail.history.list', account).at(-1)).toMatchObject({ status: 404 });
    expect(run).toMatchObject({ status: 'succeeded', counts: { deleted: 0 } });
    expect(await living('messages')).toHaveLength(210);

    // What is deleted, or moved to the bin, while the history is lost is told by nothing but its absence, however old it is.
    const oldest = (await living('messages')).map(({ id }) => id).sort();
    app.sandbox.control.change('google', 'messages', { account, id: oldest[0], delete: true });
    app.sandbox.control.change('google', 'messages', { account, id: oldest[1], addLabels: ['TRASH'], removeLabels: ['INBOX'] });
    app.sandbox.control.expireCursors(account);
    for (const type of ['incremental', 'full'] as const) {
      await sync(type, ['messages']);
      expect((await living('messages')).map(({ id }) => id).sort()).toEqual(oldest.slice(2));
    }
  });
});

describe('of three calendars', () => {
  const HOLIDAYS = 'de.german#holiday@group.v.calendar.google.com';
  const three = (account: string) =>
    void app.sandbox.control.change('google', 'calendars', { account, id: HOLIDAYS, summary: 'Holidays', accessRole: 'reader' });

  it('two are watched in the first round where the first cannot be, and that is not asked at each sync', async () => {
    const reason = 'pushNotSupportedForRequestedResource';
    refuse('events.watch', HOLIDAYS, 400, { error: { code: 400, errors: [{ domain: 'calendar', reason, message: 'No push.' }] } });
    const { account, browser, latest, sync, seen } = await connected(three);
    expect(await latest()).toMatchObject({ status: 'succeeded', error: null });
    const watched = () => asked('events.watch', account).map(({ status }) => status);
    await browser.eventually(() => Promise.resolve(watched().length === 3 || undefined));
    expect(watched().sort()).toEqual([200, 200, 400]);
    await sync('incremental');
    await sync('full');
    expect(watched()).toHaveLength(3);
    expect(await seen()).toMatchObject({ status: 'connected', error: null, lastSync: expect.any(String) as string });
  });

  it('two are read and watched where one may not be read, which the run names', async () => {
    refuse('events.list', HOLIDAYS, 403, {
      error: { code: 403, errors: [{ domain: 'global', reason: 'forbidden', message: 'Forbidden' }] },
    });
    const { account, browser, latest, living, seen } = await connected(three);
    const run = await latest();
    expect(run).toMatchObject({ status: 'succeeded', parts: [{ resource: 'events', partition: HOLIDAYS }] });
    expect(run.error?.message).toMatch(/^Calendar events \(2 of 3 read\): /);
    await browser.eventually(() => Promise.resolve(asked('events.watch', account).length === 2 || undefined));
    expect(asked('events.watch', account).map(({ status }) => status)).toEqual([200, 200]);
    expect((await living('events')).length).toBeGreaterThan(30);
    expect(await seen()).toMatchObject({ status: 'connected', error: null, lastSync: expect.any(String) as string });
  });

  it('the one whose last page had no sync token is read whole the next time, and the others have their turn', async () => {
    const { account, browser, id, latest, sync, living } = await connected(three);
    await latest();
    const before = await living('events');
    const event = { id: 'added0000000001', status: 'confirmed', summary: 'Added' };
    app.sandbox.control.addFault({
      kind: 'status',
      status: 200,
      provider: 'google',
      endpoint: 'events.list',
      path: account,
      count: 1,
      body: { kind: 'calendar#events', items: [event] },
    });
    app.sandbox.control.change('google', 'events', { account, calendar: HOLIDAYS, summary: 'Easter' });
    expect(await sync('incremental')).toMatchObject({ status: 'succeeded', error: null });
    const titles = async () => (await living('events')).map(({ data }) => (data as { summary?: string }).summary);
    expect(await titles()).toContain('Easter');
    // The notification of the change may have been sooner, and the whole walk after it be over.
    expect((await browser.records(id, 'events')).changes.map(({ id: each }) => each)).toContain(event.id);

    // Only a whole walk of that calendar can tell that what the one answer made up is not there.
    await sync('incremental');
    expect((await titles()).sort()).toEqual([...before.map(({ data }) => (data as { summary?: string }).summary), 'Easter'].sort());
  });
});

describe('a calendar', () => {
  const TEAM = 'team-of-many@group.calendar.google.com';
  /** Most of the person's events are in it. */
  const big = (account: string) => {
    app.sandbox.control.change('google', 'calendars', { account, id: TEAM, summary: 'Team of many' });
    for (let n = 0; n < 45; n++) app.sandbox.control.change('google', 'events', { account, calendar: TEAM, summary: `Big ${n}` });
  };
  const titled = (events: readonly Change[], start: string) =>
    events.filter(({ data }) => (data as { summary?: string }).summary?.startsWith(start)).length;

  it.each(['incremental', 'full'] as const)(
    'that is taken off the list goes with its events, which were most of all, in one %s run',
    async (type) => {
      const { account, latest, sync, living } = await connected(big);
      await latest();
      const before = await living('events');
      expect(titled(before, 'Big')).toBe(45);
      app.sandbox.control.change('google', 'calendars', { account, id: TEAM, delete: true });
      await sync(type);
      expect(titled(await living('events'), 'Big')).toBe(0);
      expect(await living('events')).toHaveLength(before.length - 45);
      expect((await living('calendars')).map(({ id }) => id)).not.toContain(TEAM);
      // Without an access there is nothing more to ask of it.
      app.sandbox.control.clearLedger();
      expect(await sync('incremental')).toMatchObject({ status: 'succeeded', error: null });
      expect(asked('events.list', account)).toHaveLength(2);
    },
  );

  it('that is hidden from the list stays, and its events go on being read', async () => {
    const { account, latest, sync, living } = await connected(big);
    await latest();
    app.sandbox.control.change('google', 'calendars', { account, id: TEAM, hidden: true });
    app.sandbox.control.change('google', 'events', { account, calendar: TEAM, summary: 'Big and new' });
    for (const type of ['incremental', 'full'] as const) expect(await sync(type)).toMatchObject({ status: 'succeeded', error: null });
    expect(titled(await living('events'), 'Big')).toBe(46);
    expect((await living('calendars')).map(({ id }) => id)).toContain(TEAM);
  });

  it('that is lost to access while it is listed keeps what was read, and comes back by itself', async () => {
    const { account, browser, id, latest, sync, living } = await connected(big);
    await latest();
    const before = (await living('events')).length;
    refuse('events.list', TEAM, 404, { error: { code: 404, errors: [{ domain: 'global', reason: 'notFound', message: 'Not Found' }] } });
    for (const type of ['incremental', 'full'] as const)
      expect(await sync(type)).toMatchObject({ status: 'succeeded', counts: { deleted: 0 } });
    expect(await living('events')).toHaveLength(before);
    const { body } = await browser.api<{ parts: { partition: string | null; extent: string | null }[] }>('GET', `/v1/connections/${id}`);
    expect(body.parts.find(({ partition }) => partition === TEAM)?.extent).toBe('The calendar was not found.');
    app.sandbox.control.clearFaults();
    app.sandbox.control.change('google', 'events', { account, calendar: TEAM, summary: 'Big again' });
    await sync('incremental');
    expect(titled(await living('events'), 'Big')).toBe(46);
  });
});

describe('a mail', () => {
  it.each(['TRASH', 'SPAM'])(
    'that is moved to %s is gone, in whatever run; other labels are none, and out of there it is back',
    async (label) => {
      const { account, latest, sync, living } = await connected();
      await latest();
      const [first, second] = (await living('messages')).map(({ id }) => id);
      const relabel = (id: string | undefined, addLabels: string[], removeLabels: string[]) =>
        app.sandbox.control.change('google', 'messages', { account, id, addLabels, removeLabels });
      relabel(first, [label], ['INBOX']);
      relabel(second, ['STARRED'], ['UNREAD', 'INBOX']);
      await sync('incremental', ['messages']);
      let ids = (await living('messages')).map(({ id }) => id);
      expect([ids.length, ids.includes(first!), ids.includes(second!)]).toEqual([9, false, true]);
      await sync('full', ['messages']);
      expect(await living('messages')).toHaveLength(9);
      relabel(first, ['INBOX'], [label]);
      await sync('incremental', ['messages']);
      ids = (await living('messages')).map(({ id }) => id);
      expect([ids.length, ids.includes(first!)]).toEqual([10, true]);
    },
  );
});

describe('a series of a calendar', () => {
  /** The next incremental answer for the person's own calendar. */
  const told = (account: string, ...items: object[]) =>
    app.sandbox.control.addFault({
      kind: 'status',
      status: 200,
      provider: 'google',
      endpoint: 'events.list',
      path: account,
      count: 1,
      body: { kind: 'calendar#events', items, nextSyncToken: 'after-it' },
    });
  const dataOf = ({ data }: Change) => data as { id: string; status: string; recurrence?: unknown; recurringEventId?: string };

  it('keeps an occurrence that is called off of which nothing but the id is told', async () => {
    const { account, latest, sync, living } = await connected();
    await latest();
    const series = (await living('events')).find((event) => dataOf(event).recurrence)!.id;
    const id = `${series}_20261208T100000Z`;
    told(account, { id, status: 'cancelled' });
    expect(await sync('incremental')).toMatchObject({ status: 'succeeded', counts: { deleted: 0 } });
    const events = await living('events');
    expect(events.find((event) => event.id === id)?.data).toMatchObject({
      id,
      status: 'cancelled',
      recurringEventId: series,
      originalStartTime: { dateTime: '2026-12-08T10:00:00Z' },
    });
    expect(events.some((event) => event.id === series)).toBe(true);
  });

  it('keeps an occurrence that is called off there, in whatever run, until the series goes', async () => {
    const { account, latest, sync, living } = await connected();
    await latest();
    const series = (await living('events')).find((event) => dataOf(event).recurrence)!;
    const start = Date.parse((dataOf(series) as unknown as { start: { dateTime: string } }).start.dateTime) + 35 * 86_400_000;
    const id = `${series.id}_${new Date(start).toISOString().replace(/[-:]|\.\d+/g, '')}`;
    app.sandbox.control.change('google', 'events', { account, id, delete: true });
    for (const type of ['incremental', 'full'] as const) {
      await sync(type, ['events']);
      const found = (await living('events')).find((event) => event.id === id);
      expect(found && dataOf(found)).toMatchObject({ status: 'cancelled', recurringEventId: series.id });
    }
    app.sandbox.control.change('google', 'events', { account, id: series.id, delete: true });
    await sync('incremental', ['events']);
    expect((await living('events')).filter((event) => event.id.startsWith(series.id))).toEqual([]);
  });

  it('goes with its exceptions, the one that is told of and the one that is not, in one run', async () => {
    const { account, latest, sync, living } = await connected();
    await latest();
    const events = await living('events');
    const series = events.find((event) => dataOf(event).recurrence)!.id;
    const exceptions = events.filter((event) => dataOf(event).recurringEventId === series).map(({ id }) => id);
    expect(exceptions).toHaveLength(2);
    told(account, { id: series, status: 'cancelled' }, { id: exceptions[0], status: 'cancelled', recurringEventId: series });
    expect(await sync('incremental')).toMatchObject({ status: 'succeeded', counts: { deleted: 3 } });
    const left = (await living('events')).map(({ id }) => id);
    expect(left.filter((id) => id.startsWith(series))).toEqual([]);
    expect(left).toHaveLength(events.length - 3);
  });
});
