import { providerFixture, resourceOf, walked, type ProviderFixture, type Walked } from '../../../test/support/provider-fixture';
import { systemClock } from '../../clock';
import { IntegrationError } from '../../errors';
import { GovernedHttp, hashChannelToken, WatchService, type ConnectionRef, type Provider, type RawDelivery } from '../../integrations';
import { GoogleAuthService } from './google-auth.service';
import { eventRecord, GoogleCalendarSync } from './google-calendar.sync';
import { sendEmailBody } from './google-mail.composer';
import { GoogleMailSync } from './google-mail.sync';
import { GoogleSyncService } from './google-sync.service';
import { GoogleWebhooksService } from './google-webhooks.service';
import { CALENDAR_SCOPE, MAIL_READ_SCOPE } from './google.facts';
import { readGoogleFault } from './google.faults';
import { googleProvider } from './google.module';
import { GoogleService } from './google.service';

const CHANNEL = {
  connectionId: '0192f0c0-0000-7000-8000-000000000001',
  resource: 'events',
  partition: 'primary',
  remoteId: 'resource-1',
  tokenHash: hashChannelToken('the token'),
};

let fixture: ProviderFixture;
let provider: Provider;
let google: GoogleService;
beforeAll(async () => {
  const watches = { provide: WatchService, useValue: { find: (id: string) => Promise.resolve(id === 'channel-1' ? CHANNEL : undefined) } };
  fixture = await providerFixture(
    [GoogleAuthService, GoogleCalendarSync, GoogleMailSync, GoogleSyncService, GoogleWebhooksService, watches],
    { GOOGLE_PUBSUB_TOPIC: 'projects/p/topics/gmail' },
  );
  const { module, settings } = fixture;
  provider = googleProvider(settings, {
    auth: module.get(GoogleAuthService),
    sync: module.get(GoogleSyncService),
    webhooks: module.get(GoogleWebhooksService),
  });
  fixture.register(provider);
  google = new GoogleService(settings, systemClock, module.get(GovernedHttp, { strict: false }));
});
afterAll(() => fixture.close());
beforeEach(() => {
  fixture.sandbox.control.clearFaults();
  fixture.sandbox.control.clearLedger();
});

describe('signing in', () => {
  const body = { access_token: 'ya29.1', expires_in: 3599, refresh_token: '1//0', scope: `openid email ${CALENDAR_SCOPE}` };
  const parse = (fields: object, step: 'exchange' | 'refresh' = 'exchange') => provider.auth.parseTokenResponse(fields, { step });

  it('reads the token and what was granted', () => {
    expect(parse(body)).toEqual([
      { kind: 'default', accessToken: 'ya29.1', refreshToken: '1//0', expiresInS: 3599, scopes: ['openid', 'email', CALENDAR_SCOPE] },
    ]);
  });

  it('fails in sight where no refresh token came, and only then', () => {
    expect(() => parse({ ...body, refresh_token: undefined })).toThrow(
      expect.objectContaining({ code: 'connect_failed', nextStep: expect.stringContaining('myaccount.google.com') as string }),
    );
    const [grant] = parse({ ...body, refresh_token: undefined }, 'refresh');
    expect(grant?.refreshToken).toBeUndefined();
  });

  it('fails where every box was unticked', () => {
    expect(() => parse({ ...body, scope: 'openid email' })).toThrow(expect.objectContaining({ code: 'connect_denied' }));
  });

  it('knows the account by its id and the mailbox by its address', async () => {
    const connection = await fixture.connect('google', 'Ada@Example.test');
    expect(connection).toMatchObject({ accountId: expect.stringMatching(/^\d+$/) as string, metadata: { email: 'Ada@Example.test' } });
  });

  it('ends the grant, and takes one that is gone for ended', async () => {
    const connection = await fixture.connect('google', 'gone@acme.test');
    const { access_token: accessToken, refresh_token: refreshToken } = fixture.sandbox.control.mint({
      provider: 'google',
      account: 'gone@acme.test',
    }) as Record<string, string>;
    const tokens = [{ kind: 'default', accessToken: accessToken ?? '', refreshToken }];
    const through = fixture.syncContext(connection).fetch;
    expect(await provider.auth.revoke?.({ fetch: through, connection, tokens })).toBe(true);
    expect(fixture.sandbox.control.ledger({ endpoint: 'oauth.revoke' })).toHaveLength(1);
    expect(await provider.auth.revoke?.({ fetch: through, connection, tokens })).toBe(true);
  });
});

describe('faults', () => {
  const read = (status: number, reason?: string, more: object = {}) =>
    readGoogleFault({ status, headers: new Headers(), json: { error: { code: status, errors: reason ? [{ reason }] : [], ...more } } });

  it.each([
    [403, 'rateLimitExceeded', { code: 'provider_rate_limited', retryable: true }],
    [403, 'userRateLimitExceeded', { code: 'provider_rate_limited' }],
    [403, 'quotaExceeded', { code: 'provider_rate_limited' }],
    [429, undefined, { code: 'provider_rate_limited' }],
    [403, 'forbidden', { code: 'provider_forbidden', retryable: false }],
    [403, 'insufficientPermissions', { code: 'missing_scope', retryable: false }],
    [403, 'accessNotConfigured', { code: 'provider_misconfigured' }],
    [401, 'authError', { tokenExpired: true }],
    [410, 'fullSyncRequired', { code: 'sync_cursor_expired', retryable: false }],
    [410, 'deleted', { code: 'provider_not_found' }],
    [412, 'conditionNotMet', { code: 'provider_conflict', retryable: false }],
    [503, 'backendError', { code: 'provider_unavailable' }],
  ])('%s %s', (status, reason, expected) => {
    expect(read(status, reason)).toMatchObject(expected);
  });

  it('reads the newer error details too', () => {
    expect(read(403, undefined, { status: 'PERMISSION_DENIED', details: [{ reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }] })).toMatchObject({
      code: 'missing_scope',
    });
  });

  it('tells a dead grant from a wrong client', () => {
    const token = (error: string, status = 400) => readGoogleFault({ status, headers: new Headers(), json: { error } });
    expect(token('invalid_grant')).toMatchObject({ code: 'connect_failed', providerCode: 'invalid_grant' });
    expect(token('invalid_client', 401)).toMatchObject({ code: 'provider_misconfigured' });
  });
});

describe('calendar', () => {
  const account = 'calendar@acme.test';
  let connection: ConnectionRef;
  let calendarId: string;
  beforeAll(async () => {
    connection = await fixture.connect('google', account);
    fixture.sandbox.control.seed({ provider: 'google', account, resource: 'events', count: 400 });
    calendarId = account;
  });
  const events = () => resourceOf(provider, 'events');
  const full = (checkpoint?: unknown, partition = calendarId) =>
    walked(events().full(fixture.syncContext(connection, partition, { checkpoint })));
  const since = (cursor: unknown): Promise<Walked> =>
    walked(events().incremental!({ ...fixture.syncContext(connection, calendarId), cursor }));

  it('walks every calendar of the list', async () => {
    const { names: partitions } = await events().partitions!(fixture.syncContext(connection));
    expect(partitions).toHaveLength(2);
    const calendars = await walked(resourceOf(provider, 'calendars').full(fixture.syncContext(connection)));
    expect([...calendars.records.keys()].sort()).toEqual([...partitions].sort());
    const again = await walked(
      resourceOf(provider, 'calendars').incremental!({ ...fixture.syncContext(connection), cursor: calendars.cursor }),
    );
    expect(again.records.size).toBe(0);
  });

  it('walks every page; the sync token comes with the last', async () => {
    const all = await full();
    expect(all.pages.length).toBeGreaterThan(1);
    expect(all.pages.slice(0, -1).every((page) => page.cursor === undefined && page.checkpoint !== undefined)).toBe(true);
    expect(all.cursor).toMatchObject({ syncToken: expect.any(String) as string, query: { maxResults: 250 } });
    const rest = await full(all.pages[0]?.checkpoint);
    expect(rest.records.size).toBe(all.records.size - (all.pages[0]?.records.length ?? 0));
  });

  it('sees what was made, changed and deleted since', async () => {
    const { cursor } = await full();
    const { control } = fixture.sandbox;
    const made = control.change('google', 'events', {
      account,
      summary: 'New',
      start: { date: '2027-01-01' },
      end: { date: '2027-01-02' },
    });
    control.change('google', 'events', { account, id: String(made['id']), summary: 'Newer' });
    const doomed = control.change('google', 'events', {
      account,
      summary: 'Doomed',
      start: { dateTime: '2027-01-01T09:00:00Z' },
      end: { dateTime: '2027-01-01T10:00:00Z' },
    });
    control.change('google', 'events', { account, id: String(doomed['id']), delete: true });
    const changes = await since(cursor);
    expect(changes.records.get(String(made['id']))).toMatchObject({ summary: 'Newer', start: { date: '2027-01-01' } });
    expect(changes.deleted).toEqual([doomed['id']]);
  });

  it('asks for a full run where the sync token is no longer known, or is none', async () => {
    const { cursor } = await full();
    fixture.sandbox.control.expireCursors(account);
    await expect(since(cursor)).rejects.toMatchObject({ code: 'sync_cursor_expired' });
    await expect(since({ ...(cursor as object), syncToken: 'nonsense' })).rejects.toMatchObject({ code: 'sync_cursor_expired' });
    await expect(since('nonsense')).rejects.toMatchObject({ code: 'sync_cursor_expired' });
  });

  it('starts again where Google forgot the page, and leaves nothing of a calendar that is gone', async () => {
    const all = await full();
    fixture.sandbox.control.addFault({ kind: 'status', provider: 'google', endpoint: 'events.list', status: 400, count: 1 });
    expect((await full({ pageToken: 'old' })).records.size).toBe(all.records.size);
    expect((await full(undefined, 'gone@group.calendar.google.com')).records.size).toBe(0);
  });

  it('keeps what a list without a sync token at its end told, and asks for all of it the next time', async () => {
    const context = fixture.syncContext(connection, calendarId);
    let hidden = 0;
    const tokenless: typeof fetch = async (input, init) => {
      const answer = await context.fetch(input, init);
      const { nextSyncToken, ...body } = (await answer.json()) as Record<string, unknown>;
      if (nextSyncToken !== undefined) hidden++;
      return Response.json(body, { status: answer.status });
    };
    const all = await full();
    const list = await walked(events().full({ ...context, fetch: tokenless }));
    expect(hidden).toBe(1);
    expect([...list.records.keys()].sort()).toEqual([...all.records.keys()].sort());
    expect(list.pages.at(-1)).toMatchObject({ cursor: null });
  });

  it('keeps a cancelled occurrence of which nothing but the id is told, with its series and its start', () => {
    const of = (id: string) => eventRecord({ id, status: 'cancelled' });
    const id = 'ser1_20261208T100000Z';
    const originalStartTime = { dateTime: '2026-12-08T10:00:00Z', timeZone: 'UTC' };
    expect(of(id)).toEqual({
      id,
      data: { id, status: 'cancelled', recurringEventId: 'ser1', originalStartTime },
      partOf: { id: 'ser1', required: true },
    });
    expect(of('ser1_20261208')).toMatchObject({ data: { recurringEventId: 'ser1', originalStartTime: { date: '2026-12-08' } } });
    expect(of('_imported1')).toEqual({ id: '_imported1', deleted: true });
  });

  it('keeps a cancelled occurrence of a series, and only that', () => {
    expect(eventRecord({ id: 'e1', status: 'cancelled' })).toEqual({ id: 'e1', deleted: true });
    expect(eventRecord({ id: 'e1_20270101', status: 'cancelled', recurringEventId: 'e1' })).toEqual({
      id: 'e1_20270101',
      data: { id: 'e1_20270101', status: 'cancelled', recurringEventId: 'e1' },
      partOf: { id: 'e1', required: true },
    });
    expect(eventRecord({ id: 'e1_20270102', status: 'confirmed', recurringEventId: 'e1' })).toMatchObject({
      partOf: { id: 'e1', required: false },
    });
  });

  it('opens a channel and closes it, also one that is closed already', async () => {
    const watch = events().watch!;
    const context = fixture.syncContext(connection, calendarId);
    const made = await watch.create({
      ...context,
      channelId: 'channel-2',
      token: 'a token',
      address: 'http://127.0.0.1:9/webhooks/google',
    });
    expect(made.expiresAt).toBeGreaterThan(Date.now());
    const stop = () => watch.stop({ ...context, channelId: 'channel-2', remoteId: made.remoteId });
    await stop();
    await stop();
    expect(fixture.sandbox.control.ledger({ endpoint: 'channels.stop' }).map(({ status }) => status)).toEqual([204, 404]);
  });

  it('lists occurrences in a window, page by page, by their start', async () => {
    const window = {
      timeMin: new Date(Date.now() - 20 * 86_400_000).toISOString(),
      timeMax: new Date(Date.now() + 60 * 86_400_000).toISOString(),
      limit: 20,
    };
    const first = await google.listEvents(connection, calendarId, window);
    expect(first.events).toHaveLength(20);
    const second = await google.listEvents(connection, calendarId, { limit: 20, position: first.next });
    const starts = [...first.events, ...second.events].map((event) => Date.parse(event.start ?? ''));
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(first.events.some((event) => second.events.some((other) => other.id === event.id))).toBe(false);
    await expect(google.listEvents(connection, 'other', { limit: 20, position: first.next })).rejects.toMatchObject({
      code: 'invalid_cursor',
    });
    await expect(
      google.listEvents(connection, calendarId, { limit: 20, timeMin: window.timeMax, timeMax: window.timeMin }),
    ).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(google.listEvents(connection, 'gone@group.calendar.google.com', { limit: 20 })).rejects.toMatchObject({
      code: 'provider_not_found',
    });
  });

  it('does without the parts that were not allowed', async () => {
    const without = { ...connection, metadata: { scopes: [MAIL_READ_SCOPE] } };
    expect(await events().partitions!(fixture.syncContext(without))).toMatchObject({ names: [], complete: false });
    expect(await resourceOf(provider, 'messages').partitions!(fixture.syncContext(without))).toEqual({ names: [''], complete: true });
  });
});

describe('mail', () => {
  const account = 'mail@acme.test';
  let connection: ConnectionRef;
  beforeAll(async () => {
    connection = await fixture.connect('google', account);
    fixture.sandbox.control.seed({ provider: 'google', account, resource: 'messages', count: 50 });
    // Once: reading a mail costs 20 of the units that the limiter gives out.
    all = await full();
  });
  let all: Walked;
  const messages = () => resourceOf(provider, 'messages');
  const full = (checkpoint?: unknown) => walked(messages().full(fixture.syncContext(connection, '', { checkpoint })));
  const since = (cursor: unknown): Promise<Walked> => walked(messages().incremental!({ ...fixture.syncContext(connection), cursor }));

  it('reads the newest mails, and goes on from a checkpoint', async () => {
    expect(all.records.size).toBe(60);
    expect([...all.records.values()][0]).toMatchObject({
      headers: { subject: expect.any(String) as string, from: expect.any(String) as string },
    });
    expect((await full(all.pages[0]?.checkpoint)).records.size).toBe(10);
  });

  it('follows the history', async () => {
    const { cursor } = all;
    const { control } = fixture.sandbox;
    const made = control.change('google', 'messages', { account, subject: 'Ünïcode', text: 'x', from: 'grace@acme.test' });
    const doomed = control.change('google', 'messages', { account, subject: 'Doomed', text: 'x', from: 'grace@acme.test' });
    control.change('google', 'messages', { account, id: String(doomed['id']), delete: true });
    const changes = await since(cursor);
    expect([...changes.records.keys()]).toEqual([made['id']]);
    expect(changes.deleted).toEqual([doomed['id']]);
    expect((await since(changes.cursor)).pages.flatMap((page) => page.records)).toEqual([]);
    expect((await since(changes.cursor)).cursor).toEqual(changes.cursor);
  });

  it('asks for a full run where the history is gone', async () => {
    const { cursor } = all;
    fixture.sandbox.control.change('google', 'messages', { account, subject: 'x', text: 'x', from: 'grace@acme.test' });
    fixture.sandbox.control.expireCursors(account);
    await expect(since(cursor)).rejects.toMatchObject({ code: 'sync_cursor_expired' });
  });

  it('watches the mailbox through Pub/Sub', async () => {
    const made = await messages().watch!.create({
      ...fixture.syncContext(connection),
      channelId: 'c',
      token: 't',
      address: 'https://x.test',
    });
    expect(made.expiresAt).toBeGreaterThan(Date.now());
  });

  it('sends once, as written', async () => {
    const body = sendEmailBody.parse({
      to: ['Zoë <zoe@example.test>'],
      bcc: ['hidden@example.test'],
      subject: 'Grüße, 世界',
      text: 'Plain ✓',
      html: '<p>Rich</p>',
      attachments: [{ filename: 'naïve.txt', contentType: 'text/plain', contentBase64: Buffer.from('hello').toString('base64') }],
    });
    const sent = await google.sendEmail(connection, body, 'operation-1');
    expect(sent.messageId).not.toBe('');
    const state = fixture.sandbox.control.state().google[account] as { emailsSent: Record<string, unknown>[] };
    expect(state.emailsSent.at(-1)).toMatchObject({
      subject: 'Grüße, 世界',
      to: expect.stringContaining('zoe@example.test') as string,
      bcc: expect.stringContaining('hidden@example.test') as string,
      text: expect.stringContaining('Plain ✓') as string,
    });
    fixture.sandbox.control.addFault({ kind: 'reset-after', provider: 'google', endpoint: 'gmail.messages.send', count: 1 });
    fixture.sandbox.control.clearLedger();
    await expect(google.sendEmail(connection, body, 'operation-2')).rejects.toMatchObject({ notExecuted: false });
    expect(fixture.sandbox.control.ledger({ endpoint: 'gmail.messages.send' })).toHaveLength(1);
  });
});

describe('notifications', () => {
  const channel = (headers: Record<string, string>): RawDelivery => ({
    headers: {
      'x-goog-channel-id': 'channel-1',
      'x-goog-channel-token': 'the token',
      'x-goog-resource-id': 'resource-1',
      'x-goog-resource-state': 'exists',
      'x-goog-message-number': '7',
      ...headers,
    },
    body: Buffer.alloc(0),
    receivedAt: Date.now(),
  });

  it('knows a channel by its token and names its connection', async () => {
    const delivery = channel({});
    expect(await provider.webhooks!.verify(delivery)).toEqual({ ok: true });
    expect(provider.webhooks!.parse(delivery).events).toEqual([
      { eventId: 'channel-1:7', type: 'calendar.exists', connectionId: CHANNEL.connectionId },
    ]);
  });

  it.each([
    ['wrong_token', { 'x-goog-channel-token': 'another' }],
    ['unknown_channel', { 'x-goog-channel-id': 'channel-9' }],
    ['unknown_channel', { 'x-goog-resource-id': 'resource-9' }],
  ])('refuses with %s', async (cause, headers) => {
    expect(await provider.webhooks!.verify(channel(headers))).toEqual({ ok: false, cause });
  });

  it('takes the first message for a handshake, and none that was not verified', async () => {
    const hello = channel({ 'x-goog-resource-state': 'sync' });
    await provider.webhooks!.verify(hello);
    expect(provider.webhooks!.parse(hello).events).toEqual([]);
    expect(() => provider.webhooks!.parse(channel({}))).toThrow(IntegrationError);
  });

  it('reads a push of Gmail as a hint for the mailbox', () => {
    const data = Buffer.from(JSON.stringify({ emailAddress: 'Ada@Example.test', historyId: '18446744073709551615' })).toString('base64');
    const push = {
      headers: {},
      receivedAt: 0,
      body: Buffer.from(JSON.stringify({ message: { data, messageId: '42' }, subscription: 's' })),
    };
    expect(provider.webhooks!.parse(push).events).toEqual([{ eventId: '42', type: 'gmail.push', routingKey: 'ada@example.test' }]);
    expect(() => provider.webhooks!.parse({ ...push, body: Buffer.from('{}') })).toThrow(IntegrationError);
  });

  it('refuses a push without Google’s token', async () => {
    expect(await provider.webhooks!.verify({ headers: {}, receivedAt: Date.now(), body: Buffer.from('{}') })).toEqual({
      ok: false,
      cause: 'no_signature',
    });
  });
});
