import { Body, Controller, Get, Module, Post, Req } from '@nestjs/common';
import { SignJWT, UnsecuredJWT, generateKeyPair } from 'jose';
import { request } from 'node:http';
import { z } from 'zod';
import { CurrentUser, HiddenPage, IdParam, Public, Roles, ZodBody, ZodQuery, limit, type Caller, type EdgeRequest, type SessionCaller } from '../src/api';
import { startTestApp, type TestApp } from './support/test-app';

const thing = z.strictObject({ name: z.string(), count: z.number().int().optional(), nested: z.strictObject({ a: z.string() }).optional() });

@Controller('v1/things')
class ThingsController {
  @Get()
  list(@CurrentUser() caller: Caller, @ZodQuery(z.object({ limit })) query: { limit: number }) {
    return { caller, limit: query.limit };
  }
  @Post()
  create(@ZodBody(thing) body: z.infer<typeof thing>) {
    return body;
  }
  @Roles('admin')
  @Get('admin')
  admin() {
    return { ok: true };
  }
  @Get('broken')
  broken(): never {
    throw new Error('the password is hunter2');
  }
  @Get(':id')
  one(@IdParam() id: string) {
    return { id };
  }
}

@Public()
@Controller('webhooks/probe')
class RawController {
  @Post()
  receive(@Body() body: unknown, @Req() incoming: EdgeRequest) {
    return { buffer: Buffer.isBuffer(body), same: incoming.rawBody === body, text: String(body) };
  }
}

@Controller('probe-page')
class PageController {
  @HiddenPage()
  @Get()
  show(@CurrentUser() caller: SessionCaller) {
    return caller;
  }
  @HiddenPage()
  @Post()
  change(@Body() body: unknown) {
    return { body };
  }
}

@Module({ controllers: [ThingsController, RawController, PageController] })
class ProbeModule {}

const JSON_HEADERS = { 'content-type': 'application/json' };

describe('the edge', () => {
  let test: TestApp;
  let bearer: { authorization: string };
  const lines: string[] = [];

  beforeAll(async () => {
    test = await startTestApp({ imports: [ProbeModule], log: { write: (line: string) => void lines.push(line) } });
    bearer = { authorization: `Bearer ${await test.tokenFor({ tenant: 'acme', user: 'u1' })}` };
  });
  afterAll(() => test.close());

  const get = (path: string, headers: Record<string, string> = {}) => fetch(test.url + path, { headers, redirect: 'manual' });
  const post = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) => fetch(test.url + path, { method: 'POST', body, headers, redirect: 'manual' });
  const problem = async (answer: Response) => {
    const { status, code } = (await answer.json()) as { status: number; code: string };
    return [answer.status, answer.headers.get('content-type'), status, code];
  };
  const shape = (status: number, code: string) => [status, 'application/problem+json; charset=utf-8', status, code];
  const sign = (claims: Record<string, unknown>, key: Parameters<SignJWT['sign']>[0] = secret(), alg = 'HS256') => new SignJWT(claims).setProtectedHeader({ alg }).sign(key);
  const secret = () => new TextEncoder().encode(test.settings.apiJwtSecret);
  const inAnHour = () => Math.floor(Date.now() / 1_000) + 3_600;

  describe('who may come in', () => {
    it('knows the caller by the token of the header', async () => {
      expect(await (await get('/v1/things', bearer)).json()).toEqual({ caller: { tenant: 'acme', userId: 'u1', role: 'user' }, limit: 100 });
    });

    it('refuses who brings no token, or brings it in the address', async () => {
      const token = bearer.authorization.slice(7);
      for (const path of ['/v1/things', `/v1/things?token=${token}`, `/v1/things?access_token=${token}`]) {
        const answer = await get(path);
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
        expect(await problem(answer)).toEqual(shape(401, 'unauthorized'));
      }
    });

    it.each([
      ['without a tenant', () => sign({ sub: 'u1', exp: inAnHour() })],
      ['with an empty tenant', () => sign({ sub: 'u1', tenant: '', exp: inAnHour() })],
      ['with a tenant that is a list', () => sign({ sub: 'u1', tenant: ['acme'], exp: inAnHour() })],
      ['without a user', () => sign({ tenant: 'acme', exp: inAnHour() })],
      ['without an end', () => sign({ sub: 'u1', tenant: 'acme' })],
      ['that has ended', () => sign({ sub: 'u1', tenant: 'acme', exp: inAnHour() - 7_200 })],
      ['with a role that does not exist', () => sign({ sub: 'u1', tenant: 'acme', role: 'root', exp: inAnHour() })],
      ['signed with another secret', () => sign({ sub: 'u1', tenant: 'acme', exp: inAnHour() }, new TextEncoder().encode('x'.repeat(32)))],
      ['signed with a longer HMAC', () => sign({ sub: 'u1', tenant: 'acme', exp: inAnHour() }, secret(), 'HS512')],
      ['with a line break in the tenant', () => sign({ sub: 'u1', tenant: 'a\ncme', exp: inAnHour() })],
      ['without a signature', async () => new UnsecuredJWT({ tenant: 'acme' }).setSubject('u1').setExpirationTime(inAnHour()).encode()],
      ['signed with a private key of nobody', async () => sign({ sub: 'u1', tenant: 'acme', exp: inAnHour() }, (await generateKeyPair('RS256')).privateKey, 'RS256')],
    ])('refuses a token %s', async (_, make) => {
      expect(await problem(await get('/v1/things', { authorization: `Bearer ${await make()}` }))).toEqual(shape(401, 'unauthorized'));
    });

    it('refuses a role that is not enough, and lets a higher one in', async () => {
      expect(await problem(await get('/v1/things/admin', bearer))).toEqual(shape(403, 'forbidden'));
      for (const role of ['admin', 'operator'] as const) {
        const token = await test.tokenFor({ tenant: 'acme', user: 'a1', role });
        expect((await get('/v1/things/admin', { authorization: `Bearer ${token}` })).status).toBe(200);
      }
    });

    it('stands before every spelling and method of an address', async () => {
      const spellings = ['/v1/things/', '//v1/things', '/v1//things', '/v1/%74hings', '/%761/things', '/V1/things', '/v1/./things', '/v1/things;x=1', '/v1/things%2f'];
      for (const path of spellings) {
        expect([path, (await rawStatus(test.url, 'GET', path)) >= 400]).toEqual([path, true]);
      }
      expect(await rawStatus(test.url, 'HEAD', '/v1/things')).toBe(401);
      expect((await post('/v1/things', '{}', { ...JSON_HEADERS, 'x-http-method-override': 'GET' })).status).toBe(401);
    });
  });

  describe('what may be sent', () => {
    it('names the fields that it does not know', async () => {
      const answer = await post('/v1/things', JSON.stringify({ name: 'a', tenant: 'evil', nested: { a: 'x', b: 1 } }), { ...bearer, ...JSON_HEADERS });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ code: 'invalid_request', fields: [{ field: 'nested.b', message: 'is not known here' }, { field: 'tenant', message: 'is not known here' }] });
    });

    it('refuses unknown and senseless parts of a query', async () => {
      for (const query of ['sort=name', 'limit=0', 'limit=1001', 'limit=x', 'limit=1&limit=2']) {
        expect(await problem(await get(`/v1/things?${query}`, bearer))).toEqual(shape(400, 'invalid_request'));
      }
    });

    it.each([
      ['broken JSON', '{"name":', 400, 'invalid_request'],
      ['a prototype in JSON', '{"name":"a","__proto__":{"admin":true}}', 400, 'invalid_request'],
      ['a constructor with a prototype', '{"name":"a","constructor":{"prototype":{"admin":true}}}', 400, 'invalid_request'],
      ['JSON ten thousand levels deep', '['.repeat(10_000) + ']'.repeat(10_000), 400, 'invalid_request'],
      ['nothing where something is needed', '', 400, 'invalid_request'],
      ['more than a megabyte', JSON.stringify({ name: 'x'.repeat(1_100_000) }), 413, 'payload_too_large'],
    ])('refuses %s', async (_, body, status, code) => {
      expect(await problem(await post('/v1/things', body, { ...bearer, ...JSON_HEADERS }))).toEqual(shape(status, code));
    });

    it('takes a body of many keys without standing still', async () => {
      const body = `{${Array.from({ length: 70_000 }, (_, i) => `"k${i}":1`).join(',')}}`;
      expect(await problem(await post('/v1/things', body, { ...bearer, ...JSON_HEADERS }))).toEqual(shape(400, 'invalid_request'));
    });

    it('takes no other content type, and nothing compressed', async () => {
      expect(await problem(await post('/v1/things', 'name=a', { ...bearer, 'content-type': 'text/plain' }))).toEqual(shape(415, 'unsupported_media_type'));
      expect(await problem(await post('/v1/things', '<a/>', { ...bearer, 'content-type': 'application/xml' }))).toEqual(shape(415, 'unsupported_media_type'));
      expect(await problem(await post('/v1/things', '{}', { ...bearer, ...JSON_HEADERS, 'content-encoding': 'gzip' }))).toEqual(shape(415, 'unsupported_media_type'));
    });

    it('hands webhooks on byte by byte, whatever their content type says', async () => {
      const bytes = '{ "a" :1,\r\n"__proto__":2 }';
      for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain', 'application/octet-stream', 'image/png']) {
        expect(await (await post('/webhooks/probe', bytes, { 'content-type': type })).json()).toEqual({ buffer: true, same: true, text: bytes });
      }
    });

    it('refuses a delivery over the cap, announced or streamed', async () => {
      const tooMuch = new Uint8Array(test.settings.webhookMaxBytes + 1);
      expect(await problem(await post('/webhooks/probe', tooMuch, JSON_HEADERS))).toEqual(shape(413, 'payload_too_large'));
      expect(await rawStatus(test.url, 'POST', '/webhooks/probe', { 'transfer-encoding': 'chunked' }, tooMuch)).toBe(413);
    });
  });

  describe('how failures look', () => {
    it('answers a wrong address, id or method as such', async () => {
      expect(await problem(await get('/nothing'))).toEqual(shape(404, 'not_found'));
      expect(await problem(await get('/v1/things/not-a-uuid', bearer))).toEqual(shape(404, 'connection_not_found'));
      const wrong = await fetch(`${test.url}/v1/things`, { method: 'DELETE' });
      expect(wrong.headers.get('allow')).toContain('POST');
      expect(await problem(wrong)).toEqual(shape(405, 'method_not_allowed'));
    });

    it('tells nothing of an unknown failure but its request id, which the log explains', async () => {
      const answer = await get('/v1/things/broken', { ...bearer, 'x-request-id': 'req-broken' });
      const text = await answer.text();
      expect(JSON.parse(text)).toMatchObject({ code: 'internal_error', requestId: 'req-broken', type: `${test.url}/errors#internal_error` });
      expect(text).not.toMatch(/hunter2|edge\.spec/);
      expect(lines.some((line) => line.includes('req-broken') && line.includes('"request failed"'))).toBe(true);
    });

    it('shows a person a page, and the API problem+json', async () => {
      const html = { accept: 'text/html,application/xhtml+xml' };
      const page = await get('/probe-page', html);
      expect([page.status, page.headers.get('content-type')]).toEqual([401, 'text/html; charset=utf-8']);
      expect(await page.text()).toContain('Open this page from your application again.');
      expect(await problem(await get('/v1/things', html))).toEqual(shape(401, 'unauthorized'));
    });

    it('explains every code at /errors', async () => {
      const page = await get('/errors');
      expect(page.status).toBe(200);
      expect(await page.text()).toContain('<section id="card_declined">');
    });

    it('answers what is no HTTP with a problem too', async () => {
      expect(await rawStatus(test.url, 'GET', '/health/live', { 'x-long': 'x'.repeat(40_000) })).toBe(431);
    });
  });

  describe('what every answer carries', () => {
    it('sends a sound request id back, and replaces one that is not', async () => {
      expect((await get('/health/live', { 'x-request-id': 'abc_123' })).headers.get('x-request-id')).toBe('abc_123');
      for (const bad of ['a b', 'x'.repeat(65), '{"a":1}']) {
        expect((await get('/health/live', { 'x-request-id': bad })).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
      }
    });

    it('carries a strict policy', async () => {
      const { headers } = await get('/errors');
      const policy = headers.get('content-security-policy');
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect([headers.get('x-content-type-options'), headers.get('referrer-policy'), headers.get('x-powered-by')]).toEqual(['nosniff', 'no-referrer', null]);
    });

    it('logs one line a request, with the route and never the query', async () => {
      lines.length = 0;
      await get('/session?token=CANARY1&to=/x', { 'x-request-id': 'req-log', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, cookie: 'c=CANARY2', authorization: 'Bearer CANARY3' });
      const mine = lines.filter((line) => line.includes('req-log') && line.includes('"request"'));
      expect(mine.map((line) => JSON.parse(line) as unknown)).toEqual([expect.objectContaining({ method: 'GET', route: '/session', status: 401, traceId: 'a'.repeat(32) })]);
      expect(lines.join('')).not.toContain('CANARY');
    });
  });

  describe('browser sessions', () => {
    const signIn = async (to?: string) => {
      const token = await test.tokenFor({ tenant: 'acme', user: 'u1' });
      const answer = await get(`/session?token=${token}${to === undefined ? '' : `&to=${encodeURIComponent(to)}`}`);
      return { token, answer, cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' };
    };

    it('trades a token for a cookie once', async () => {
      const { token, answer, cookie } = await signIn();
      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/settings/integrations']);
      expect(answer.headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Lax/);
      expect(await (await get('/probe-page', { cookie })).json()).toMatchObject({ tenant: 'acme', userId: 'u1', role: 'user' });
      const again = await get(`/session?token=${token}`);
      expect([again.status, again.headers.get('set-cookie')]).toEqual([401, null]);
    });

    it('lets one of many simultaneous uses of a token through', async () => {
      const token = await test.tokenFor({ tenant: 'acme', user: 'u2' });
      const answers = await Promise.all(Array.from({ length: 8 }, () => get(`/session?token=${token}`)));
      expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
    });

    it('leads to our own pages only', async () => {
      for (const to of ['//evil.example', '/\\evil.example', 'https://evil.example', 'https:evil.example', '/a\r\nb', '/%2f/../..//evil.example', '@evil', '\t//evil']) {
        const { answer } = await signIn(to);
        const target = answer.headers.get('location');
        if (target === null) expect(answer.status).toBe(400);
        else expect(new URL(target, test.url).origin).toBe(test.url);
      }
      expect((await signIn('/admin?tab=alerts')).answer.headers.get('location')).toBe('/admin?tab=alerts');
    });

    it('is no key to the API, nor a token to the pages', async () => {
      const { cookie } = await signIn();
      expect((await get('/v1/things', { cookie })).status).toBe(401);
      expect((await get('/probe-page', bearer)).status).toBe(401);
    });

    it('changes nothing without the CSRF token, or from another site', async () => {
      const { cookie } = await signIn();
      const { csrfToken } = (await (await get('/probe-page', { cookie })).json()) as SessionCaller;
      const form = { cookie, 'content-type': 'application/x-www-form-urlencoded' };
      const other = (await (await get('/probe-page', { cookie: (await signIn()).cookie })).json()) as SessionCaller;

      expect(await problem(await post('/probe-page', 'a=1', form))).toEqual(shape(403, 'forbidden'));
      expect(await problem(await post('/probe-page', `_csrf=${other.csrfToken}`, form))).toEqual(shape(403, 'forbidden'));
      expect(await problem(await post('/probe-page', `_csrf=${csrfToken}`, { ...form, origin: 'https://evil.example' }))).toEqual(shape(403, 'forbidden'));
      expect(await (await post('/probe-page', `_csrf=${csrfToken}&a=1`, { ...form, origin: test.url })).json()).toEqual({ body: { a: '1' } });
      expect((await post('/probe-page', '{}', { cookie, ...JSON_HEADERS, 'x-csrf-token': csrfToken })).status).toBe(201);
    });

    it('keeps only hashes', async () => {
      const { cookie, token } = await signIn();
      const { DataSource } = await import('typeorm');
      const rows: unknown[] = await test.app.get(DataSource).query('SELECT s.*, u.* FROM browser_sessions s, used_tokens u');
      expect(rows.length).toBeGreaterThan(0);
      const stored = JSON.stringify(rows);
      expect([stored.includes(cookie.split('=')[1] as string), stored.includes(token)]).toEqual([false, false]);
    });
  });

  describe('operations', () => {
    it('shows metrics to operators', async () => {
      expect((await get('/metrics')).status).toBe(401);
      expect((await get('/metrics', bearer)).status).toBe(403);
      const operator = await get('/metrics', { authorization: `Bearer ${await test.tokenFor({ tenant: 'ops', user: 'o', role: 'operator' })}` });
      expect(await operator.text()).toContain('trestle_http_requests_total');
    });

    it('describes every route with its parameters, security and failures', async () => {
      const document = (await (await get('/docs-json')).json()) as { paths: Record<string, Record<string, unknown>> };
      expect(document.paths['/v1/things']?.['get']).toMatchObject({ security: [{ bearer: [] }], parameters: [{ name: 'limit', in: 'query', required: false }], responses: { default: {} } });
      expect(document.paths['/v1/things']?.['post']).toMatchObject({
        requestBody: { content: { 'application/json': { schema: { required: ['name'], additionalProperties: false, properties: { name: { type: 'string' } } } } } },
      });
      expect(document.paths['/probe-page']).toBeUndefined();
      for (const path of ['/docs', '/docs/start.js', '/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js']) {
        const answer = await get(path);
        expect([path, answer.status, (await answer.text()).length > 0]).toEqual([path, 200, true]);
      }
      expect((await get('/docs/package.json')).status).toBe(404);
    });
  });
});

/** A request as it stands: no client that tidies the path, or waits to send. */
function rawStatus(url: string, method: string, path: string, headers: Record<string, string> = {}, body?: Uint8Array): Promise<number> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
