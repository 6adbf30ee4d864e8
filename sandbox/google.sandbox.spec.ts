import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { calendar, type calendar_v3 } from 'googleapis/build/src/apis/calendar';
import { gmail, type gmail_v1 } from 'googleapis/build/src/apis/gmail';
import { type Sandbox, startSandbox } from '.';
import { consent, pkce, postForm, postJson, REDIRECT_URI } from './testing/consent';
import { googleReason } from './testing/google-reason';
import { type Receiver, startReceiver } from './testing/receiver';

const AUTH = 'https://www.googleapis.com/auth/';
const SCOPES = `openid email ${AUTH}calendar ${AUTH}gmail.modify ${AUTH}gmail.send`;
const EMAIL = 'ada@blue.test';

describe('the pretend Google', () => {
  let sandbox: Sandbox;
  let receiver: Receiver;
  let nowMs: number;
  let env: Record<string, string>;

  beforeEach(async () => {
    nowMs = Date.now();
    receiver = await startReceiver();
    sandbox = await startSandbox({ now: () => nowMs, webhookRetryMs: [1, 1] });
    env = sandbox.env();
  });

  afterEach(async () => {
    await sandbox.stop();
    await receiver.stop();
  });

  const credentials = (): Record<string, string> => ({
    client_id: env['GOOGLE_CLIENT_ID'] ?? '',
    client_secret: env['GOOGLE_CLIENT_SECRET'] ?? '',
  });
  const authorize = (fields: Record<string, string> = {}): Promise<URLSearchParams> =>
    consent(env['GOOGLE_AUTHORIZE_URL'] ?? '', {
      client_id: env['GOOGLE_CLIENT_ID'] ?? '',
      response_type: 'code',
      scope: SCOPES,
      access_type: 'offline',
      prompt: 'consent',
      login_hint: EMAIL,
      ...fields,
    });
  const token = (fields: Record<string, string>): ReturnType<typeof postForm> =>
    postForm(env['GOOGLE_TOKEN_URL'] ?? '', { ...credentials(), ...fields });
  const exchange = (code: string, fields: Record<string, string> = {}): ReturnType<typeof postForm> =>
    token({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, ...fields });
  const connect = async (fields: Record<string, string> = {}): Promise<Record<string, string>> =>
    (await exchange((await authorize(fields)).get('code') ?? '')).body as Record<string, string>;
  const withToken = (
    accessToken: string,
  ): { rootUrl: string; retry: false; fetchImplementation: typeof fetch; headers: Record<string, string> } => ({
    rootUrl: env['GOOGLE_API_BASE_URL'] ?? '',
    retry: false,
    fetchImplementation: fetch,
    headers: { authorization: `Bearer ${accessToken}` },
  });
  const calendarApi = async (accessToken?: string): Promise<calendar_v3.Calendar> =>
    calendar({ version: 'v3', ...withToken(accessToken ?? (await connect())['access_token'] ?? '') });
  const gmailApi = async (accessToken?: string): Promise<gmail_v1.Gmail> =>
    gmail({ version: 'v1', ...withToken(accessToken ?? (await connect())['access_token'] ?? '') });

  it('verifies PKCE, the secret, the redirect and the single use of a code', async () => {
    const { verifier, challenge } = pkce();
    const fields = { code_challenge: challenge, code_challenge_method: 'S256' };
    const code = (await authorize(fields)).get('code') ?? '';
    expect(await exchange(code, { code_verifier: pkce().verifier })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'Invalid code verifier.' },
    });
    expect(await exchange(code)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'Missing code verifier.' },
    });
    expect(await exchange(code, { code_verifier: verifier, client_secret: 'wrong' })).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
    expect(await exchange(code, { code_verifier: verifier, redirect_uri: 'http://127.0.0.1/x' })).toMatchObject({
      status: 400,
      body: { error: 'redirect_uri_mismatch' },
    });
    const good = await exchange(code, { code_verifier: verifier });
    expect(good).toMatchObject({ status: 200, body: { token_type: 'Bearer', expires_in: 3599, scope: SCOPES } });
    expect(good.body['access_token']).toMatch(/^ya29\./);
    expect(await exchange(code, { code_verifier: verifier })).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  it('signs the id_token, answers userinfo, and refuses expired and revoked tokens with 401', async () => {
    const body = await connect();
    const jwks = (await (await fetch(env['GOOGLE_PUBSUB_JWKS_URL'] ?? '')).json()) as JSONWebKeySet;
    const { payload } = await jwtVerify(body['id_token'] ?? '', createLocalJWKSet(jwks), {
      issuer: 'https://accounts.google.com',
      audience: env['GOOGLE_CLIENT_ID'] ?? '',
    });
    const userinfo = await fetch(env['GOOGLE_USERINFO_URL'] ?? '', { headers: { authorization: `Bearer ${body['access_token'] ?? ''}` } });
    expect(await userinfo.json()).toMatchObject({ email: EMAIL, sub: payload.sub });
    nowMs += 3_600_000;
    const api = await calendarApi(body['access_token'] ?? '');
    expect(await googleReason(api.calendarList.list())).toBe('401 authError');
    const renewed = await token({ grant_type: 'refresh_token', refresh_token: body['refresh_token'] ?? '' });
    expect(renewed.body['refresh_token']).toBeUndefined();
    const live = await calendarApi(String(renewed.body['access_token']));
    expect((await live.calendarList.list()).data.items).toHaveLength(2);
    expect((await postForm(env['GOOGLE_REVOKE_URL'] ?? '', { token: body['refresh_token'] ?? '' })).status).toBe(200);
    expect(await googleReason(live.calendarList.list())).toBe('401 authError');
    expect(await token({ grant_type: 'refresh_token', refresh_token: body['refresh_token'] ?? '' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });

  it('sends a refresh token with the first grant, later only with prompt=consent', async () => {
    expect((await connect({ prompt: 'none' }))['refresh_token']).toMatch(/^1\/\//);
    expect((await connect({ prompt: 'none' }))['refresh_token']).toBeUndefined();
    expect((await connect())['refresh_token']).toBeDefined();
  });

  it('lets a person untick scopes, and refuses what they do not cover with 403', async () => {
    const form = new URLSearchParams({
      client_id: env['GOOGLE_CLIENT_ID'] ?? '',
      response_type: 'code',
      scope: SCOPES,
      redirect_uri: REDIRECT_URI,
      login_hint: EMAIL,
      granular: '1',
      allowed_scope: `${AUTH}calendar`,
      decision: 'allow',
    });
    const response = await fetch(`${sandbox.urls.google}/oauth/consent`, { method: 'POST', body: form, redirect: 'manual' });
    const code = new URL(response.headers.get('location') ?? '').searchParams.get('code') ?? '';
    const { body } = await exchange(code);
    expect(body['scope']).toBe(`${AUTH}calendar`);
    const mail = await gmailApi(String(body['access_token']));
    expect(await googleReason(mail.users.getProfile({ userId: 'me' }))).toBe('403 insufficientPermissions');
  });

  async function listAll(
    api: calendar_v3.Calendar,
    params: calendar_v3.Params$Resource$Events$List,
  ): Promise<{ items: calendar_v3.Schema$Event[]; syncToken: string; tokensBefore: number }> {
    const items: calendar_v3.Schema$Event[] = [];
    let tokensBefore = 0;
    for (let pageToken: string | undefined; ;) {
      const { data } = await api.events.list({ ...params, ...(pageToken ? { pageToken } : {}) });
      items.push(...(data.items ?? []));
      pageToken = data.nextPageToken ?? undefined;
      if (!pageToken) return { items, syncToken: data.nextSyncToken ?? '', tokensBefore };
      if (data.nextSyncToken) tokensBefore++;
    }
  }

  it('pages events, sends the sync token on the last page, and then only what changed', async () => {
    const api = await calendarApi();
    const first = await listAll(api, { calendarId: 'primary', maxResults: 7 });
    expect(first.items.length).toBeGreaterThan(20);
    expect(new Set(first.items.map(({ id }) => id)).size).toBe(first.items.length);
    expect(first.tokensBefore).toBe(0);
    expect((await listAll(api, { calendarId: 'primary', syncToken: first.syncToken })).items).toEqual([]);

    const made = await api.events.insert({
      calendarId: 'primary',
      requestBody: { summary: 'New', start: { dateTime: '2030-01-01T10:00:00Z' }, end: { dateTime: '2030-01-01T11:00:00Z' } },
    });
    await api.events.delete({ calendarId: 'primary', eventId: first.items[0]?.id ?? '' });
    const second = await listAll(api, { calendarId: 'primary', syncToken: first.syncToken, maxResults: 1 });
    expect(second.items.map(({ id, status }) => [id, status])).toEqual([
      [made.data.id, 'confirmed'],
      [first.items[0]?.id, 'cancelled'],
    ]);
    expect((await listAll(api, { calendarId: 'primary', syncToken: second.syncToken })).items).toEqual([]);
  });

  it('loses no change that happens between two pages', async () => {
    const api = await calendarApi();
    const before = await listAll(api, { calendarId: 'primary' });
    for (const { id } of before.items.slice(0, 6))
      sandbox.control.change('google', 'events', { account: EMAIL, id: id ?? '', summary: 'Changed once' });
    const page = await api.events.list({ calendarId: 'primary', syncToken: before.syncToken, maxResults: 3 });
    for (const event of page.data.items ?? [])
      sandbox.control.change('google', 'events', { account: EMAIL, id: event.id ?? '', summary: 'Changed twice' });
    const rest = await listAll(api, {
      calendarId: 'primary',
      syncToken: before.syncToken,
      maxResults: 3,
      pageToken: page.data.nextPageToken ?? '',
    });
    const next = await listAll(api, { calendarId: 'primary', syncToken: rest.syncToken });
    const seen = new Map([...(page.data.items ?? []), ...rest.items, ...next.items].map((event) => [event.id, event.summary]));
    expect(seen.size).toBe(6);
    expect([...seen.values()].sort()).toEqual([...Array<string>(3).fill('Changed once'), ...Array<string>(3).fill('Changed twice')]);
  });

  it('answers 410 to an expired sync token and 400 to parameters that it cannot go with', async () => {
    const api = await calendarApi();
    const { syncToken } = await listAll(api, { calendarId: 'primary' });
    expect(await googleReason(api.events.list({ calendarId: 'primary', syncToken, timeMin: new Date(nowMs).toISOString() }))).toBe(
      '400 badRequest',
    );
    expect(await googleReason(api.events.list({ calendarId: 'primary', orderBy: 'startTime' }))).toBe('400 invalidParameter');
    await postJson(`${sandbox.urls.control}/cursors/expire`, { provider: 'google', account: EMAIL });
    expect(await googleReason(api.events.list({ calendarId: 'primary', syncToken }))).toBe('410 fullSyncRequired');
  });

  it('expands series into instances, with the moved one moved and the cancelled one left out', async () => {
    const api = await calendarApi();
    const window = { timeMin: new Date(nowMs - 40 * 86_400_000).toISOString(), timeMax: new Date(nowMs + 90 * 86_400_000).toISOString() };
    const { data } = await api.events.list({ calendarId: 'primary', singleEvents: true, orderBy: 'startTime', ...window });
    const instances = (data.items ?? []).filter((event) => event.recurringEventId);
    expect(instances).toHaveLength(7);
    const starts = (data.items ?? []).map((event) => Date.parse(event.start?.dateTime ?? event.start?.date ?? ''));
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    const masters = (await listAll(api, { calendarId: 'primary' })).items.filter((event) => event.recurrence);
    expect(masters).toHaveLength(1);
  });

  it('refuses a used client id with 409, a stale etag with 412 and a second delete with 410', async () => {
    const api = await calendarApi();
    const requestBody = { id: 'abcde12345', summary: 'Mine', start: { date: '2030-01-01' }, end: { date: '2030-01-02' } };
    await api.events.insert({ calendarId: 'primary', requestBody });
    expect(await googleReason(api.events.insert({ calendarId: 'primary', requestBody }))).toBe('409 duplicate');
    expect(
      await googleReason(
        api.events.patch(
          { calendarId: 'primary', eventId: 'abcde12345', requestBody: { summary: 'x' } },
          { headers: { 'If-Match': '"old"' } },
        ),
      ),
    ).toBe('412 conditionNotMet');
    await api.events.delete({ calendarId: 'primary', eventId: 'abcde12345' });
    expect(await googleReason(api.events.delete({ calendarId: 'primary', eventId: 'abcde12345' }))).toBe('410 deleted');
  });

  it('notifies a channel: sync first, then each change, until it is stopped', async () => {
    const api = await calendarApi();
    const { data: channel } = await api.events.watch({
      calendarId: 'primary',
      requestBody: { id: 'channel-1', type: 'web_hook', address: `${receiver.origin}/webhooks/google`, token: 'secret-token' },
    });
    expect(Number(channel.expiration)).toBeGreaterThan(nowMs);
    expect(await sandbox.control.settle()).toBe(true);
    sandbox.control.change('google', 'events', { account: EMAIL, summary: 'One' });
    expect(await sandbox.control.settle()).toBe(true);
    expect(
      receiver.received.map(({ headers, body }) => [
        headers['x-goog-resource-state'],
        headers['x-goog-channel-token'],
        headers['x-goog-resource-id'],
        body,
      ]),
    ).toEqual([
      ['sync', 'secret-token', channel.resourceId, ''],
      ['exists', 'secret-token', channel.resourceId, ''],
    ]);
    expect(receiver.received[0]?.headers['x-goog-message-number']).toBe('1');
    await api.channels.stop({ requestBody: { id: 'channel-1', resourceId: channel.resourceId ?? '' } });
    sandbox.control.change('google', 'events', { account: EMAIL, summary: 'Two' });
    expect(await sandbox.control.settle()).toBe(true);
    expect(receiver.received).toHaveLength(2);
    expect(
      await googleReason(
        api.events.watch({ calendarId: 'primary', requestBody: { id: 'channel-1', type: 'web_hook', address: receiver.origin } }),
      ),
    ).toBe('400 channelIdNotUnique');
  });
});
