import { DataSource } from 'typeorm';
import { signInLinkOf } from '../demo/http-client';
import { systemClock, type Clock } from '../src/clock';
import type { SessionPrincipal } from '../src/http-api';
import { edgeClient, problem, shape } from './support/edge-client';
import { ProbeModule } from './support/probe.module';
import { startTestApp, type TestApp } from './support/test-app';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_HEADERS = { 'content-type': 'application/json' };
const HOUR_MS = 3_600_000;

describe('browser sessions', () => {
  let test: TestApp;
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs };

  beforeAll(async () => {
    test = await startTestApp({ imports: [ProbeModule], sandbox: false, clock });
  });
  afterEach(() => void (aheadMs = 0));
  afterAll(() => test.close());

  const { get, post } = edgeClient(() => test.url);
  const tokenOf = (user: string, role: 'user' | 'admin' = 'user', tenant = 'acme') => test.tokenFor({ tenant, user, role });
  const link = async (user = 'u1', returnTo?: string) => signInLinkOf(test.url, await tokenOf(user), returnTo);
  const open = async (url: string, cookie?: string) => {
    const answer = await get(url.slice(test.url.length), cookie ? { cookie } : {});
    return { answer, cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' };
  };
  const signIn = async (user = 'u1') => open(await link(user));
  const who = async (cookie: string) => (await get('/probe-page', { cookie })).json() as Promise<SessionPrincipal & { code?: string }>;

  it('trades a code for a cookie once', async () => {
    const url = await link();
    const { answer, cookie } = await open(url);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/settings/integrations']);
    expect(answer.headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Lax/);
    expect(await who(cookie)).toMatchObject({ tenant: 'acme', userId: 'u1', role: 'user' });
    const again = await open(url);
    expect([again.answer.status, again.cookie]).toEqual([401, '']);
  });

  it('goes on where the link was used and its person is signed in here, and signs nobody else in', async () => {
    const url = await link('u1', '/admin');
    const { cookie } = await open(url);
    const again = await open(url, cookie);
    expect([again.answer.status, again.answer.headers.get('location'), again.cookie]).toEqual([303, '/admin', '']);
    const other = await signIn('u2');
    expect((await open(url, other.cookie)).answer.status).toBe(401);
    expect((await who(cookie)).userId).toBe('u1');
  });

  it('lets one of many simultaneous uses of a code through', async () => {
    const url = await link('u2');
    const answers = await Promise.all(Array.from({ length: 8 }, () => open(url)));
    expect(answers.filter(({ answer }) => answer.status === 303)).toHaveLength(1);
  });

  it('takes neither a token in the address nor a code that is older than a minute; a look by HEAD uses nothing up', async () => {
    expect((await get(`/session?token=${await tokenOf('u1')}`)).status).toBe(400);
    const url = await link();
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(405);
    expect((await open(url)).answer.status).toBe(303);
    const late = await link();
    aheadMs = 61_000;
    expect((await open(late)).answer.status).toBe(401);
  });

  it('opens in a window of its own only: a frame or an image of another page signs nobody in', async () => {
    const url = await link('framed');
    for (const destination of ['iframe', 'image', 'empty', 'object'])
      expect([destination, await problem(await get(url.slice(test.url.length), { 'sec-fetch-dest': destination }))]).toEqual([
        destination,
        shape(403, 'forbidden'),
      ]);
    expect((await get(url.slice(test.url.length), { 'sec-fetch-dest': 'document' })).status).toBe(303);
  });

  it('ends with the token it came from', async () => {
    const { answer, cookie } = await signIn();
    const [, maxAge] = /Max-Age=(\d+)/.exec(answer.headers.get('set-cookie') ?? '') ?? [];
    expect(Number(maxAge)).toBeGreaterThan(3_500);
    expect(Number(maxAge)).toBeLessThanOrEqual(3_600);
    expect((await get('/probe-page', { cookie })).status).toBe(200);
    aheadMs = HOUR_MS + 1_000;
    expect((await get('/probe-page', { cookie })).status).toBe(401);
  });

  it('leads to our own pages only, and to none that does something by being opened', async () => {
    const create = async (returnTo: string) =>
      post('/v1/browser-sessions', JSON.stringify({ returnTo }), { ...JSON_HEADERS, authorization: `Bearer ${await tokenOf('u1')}` });
    for (const returnTo of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      '/a\r\nb',
      '/session?code=x',
      '/connect/slack?session=x',
      '/auth/slack/callback',
      '/Session',
      '/%63onnect/slack',
      '/./connect/slack',
      '/x/../auth/slack',
    ])
      expect([returnTo, await problem(await create(returnTo))]).toEqual([returnTo, shape(400, 'invalid_return_to')]);
    expect((await open(await link('u1', '/admin?tab=alerts'))).answer.headers.get('location')).toBe('/admin?tab=alerts');
  });

  it('is no key to the API, nor a token or a code to the pages', async () => {
    const { cookie } = await signIn();
    const code = new URL(await link()).searchParams.get('code') ?? '';
    expect((await get('/v1/things', { cookie })).status).toBe(401);
    expect((await get('/v1/things', { authorization: `Bearer ${code}` })).status).toBe(401);
    expect((await get('/probe-page', { authorization: `Bearer ${await tokenOf('u1')}` })).status).toBe(401);
    expect((await get('/probe-page', { cookie: `trestle_session=${code}` })).status).toBe(401);
    expect((await get(`/session?code=${cookie.split('=')[1] ?? ''}`)).status).toBe(401);
  });

  it('changes nothing without the CSRF token, or from another site', async () => {
    const { cookie } = await signIn();
    const { csrfToken } = await who(cookie);
    const form = { cookie, ...FORM };
    const other = await who((await signIn()).cookie);

    expect(await problem(await post('/probe-page', 'a=1', form))).toEqual(shape(403, 'forbidden'));
    expect(await problem(await post('/probe-page', `_csrf=${other.csrfToken}`, form))).toEqual(shape(403, 'forbidden'));
    expect(await problem(await post('/probe-page', `_csrf=${csrfToken}`, { ...form, origin: 'https://evil.example' }))).toEqual(
      shape(403, 'forbidden'),
    );
    expect(await (await post('/probe-page', `_csrf=${csrfToken}&a=1`, { ...form, origin: test.url })).json()).toEqual({ body: { a: '1' } });
    expect((await post('/probe-page', '{}', { cookie, ...JSON_HEADERS, 'x-csrf-token': csrfToken })).status).toBe(201);
  });

  it('asks before a browser that is signed in becomes somebody else’s', async () => {
    const ada = await signIn('ada');
    const url = await link('eve');
    const asked = await open(url, ada.cookie);
    expect([asked.answer.status, asked.cookie]).toEqual([200, '']);
    const text = await asked.answer.text();
    expect(text).toContain('<strong>ada</strong> of <strong>acme</strong>');
    expect(text).toContain('<strong>eve</strong> of <strong>acme</strong>');
    expect(await who(ada.cookie)).toMatchObject({ userId: 'ada' });

    const code = new URL(url).searchParams.get('code') ?? '';
    const form = { cookie: ada.cookie, ...FORM };
    expect((await post('/session', `code=${code}`, form)).status).toBe(403);
    const pressed = await fetch(`${test.url}/session`, {
      method: 'POST',
      redirect: 'manual',
      headers: { ...form, origin: test.url },
      body: `_csrf=${(await who(ada.cookie)).csrfToken}&code=${code}`,
    });
    expect(pressed.status).toBe(303);
    expect(await who(pressed.headers.get('set-cookie')?.split(';')[0] ?? '')).toMatchObject({ userId: 'eve' });
    expect((await get('/probe-page', { cookie: ada.cookie })).status).toBe(401);
  });

  it('is dead after the sign-out', async () => {
    const { cookie } = await signIn();
    const { csrfToken } = await who(cookie);
    expect((await post('/session/logout', '', { cookie, ...FORM })).status).toBe(403);
    expect((await get('/probe-page', { cookie })).status).toBe(200);
    const out = await post('/session/logout', `_csrf=${csrfToken}`, { cookie, ...FORM });
    expect([out.status, out.headers.get('set-cookie')]).toEqual([200, expect.stringMatching(/^trestle_session=; Max-Age=0/)]);
    expect((await get('/probe-page', { cookie })).status).toBe(401);
  });

  it('ends all of a person’s sessions and codes for an administrator of the organization', async () => {
    const first = await signIn('leaver');
    const second = await signIn('leaver');
    const waiting = await link('leaver');
    const end = async (token: string) =>
      fetch(`${test.url}/v1/admin/users/leaver/sessions`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } });
    expect((await end(await tokenOf('u1'))).status).toBe(403);
    expect(await (await end(await tokenOf('boss', 'admin', 'other'))).json()).toEqual({ ended: 0 });
    expect(await (await end(await tokenOf('boss', 'admin'))).json()).toEqual({ ended: 3 });
    for (const { cookie } of [first, second]) expect((await get('/probe-page', { cookie })).status).toBe(401);
    expect((await open(waiting)).answer.status).toBe(401);
  });

  it('keeps only hashes, and a row that somebody writes opens nothing', async () => {
    const { cookie } = await signIn();
    const { sessionId } = await who(cookie);
    const dataSource = test.app.get(DataSource);
    const stored = JSON.stringify(await dataSource.query('SELECT * FROM browser_sessions'));
    expect([stored.includes(cookie.split('=')[1] as string), stored.includes(sessionId)]).toEqual([false, false]);
    await dataSource.query(
      `INSERT INTO browser_sessions (id_hash, tenant, user_id, expires_at) VALUES (encode(sha256('planted'), 'hex'), 'acme', 'root', now() + interval '1 hour')`,
    );
    expect((await get('/probe-page', { cookie: 'trestle_session=planted' })).status).toBe(401);
    await dataSource.query(`UPDATE browser_sessions SET tenant = 'other', user_id = 'root'`);
    expect(await who(cookie)).toMatchObject({ tenant: 'acme', userId: 'u1', role: 'user' });
  });

  it('stands in the audit: who was signed in, who out', async () => {
    await signIn('seen');
    const rows = await test.app
      .get(DataSource)
      .query<object[]>(`SELECT action, actor_user, target FROM audit_entries WHERE target = 'user:seen'`);
    expect(rows).toEqual([{ action: 'session.open', actor_user: 'seen', target: 'user:seen' }]);
  });
});
