import { connect } from 'node:net';
import { edgeClient, problem, rawStatus, shape } from './support/edge-client';
import { ProbeModule } from './support/probe.module';
import { startTestApp, type TestApp } from './support/test-app';

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

  const { get, post } = edgeClient(() => test.url);

  describe('what may be sent', () => {
    it('names the fields that it does not know', async () => {
      const answer = await post('/v1/things', JSON.stringify({ name: 'a', tenant: 'evil', nested: { a: 'x', b: 1 } }), {
        ...bearer,
        ...JSON_HEADERS,
      });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({
        code: 'invalid_request',
        fields: [
          { field: 'nested.b', message: 'is not known here' },
          { field: 'tenant', message: 'is not known here' },
        ],
      });
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

    it('does not build JSON of more members than anybody sends', async () => {
      const members = (count: number) => `{"name":"a","nested":{${Array.from({ length: count }, (_, i) => `"k${i}":1`).join(',')}}}`;
      const answer = await post('/v1/things', members(20_000), { ...bearer, ...JSON_HEADERS });
      expect(await answer.json()).toMatchObject({ status: 400, detail: 'The JSON has more than 10000 members.' });
      expect(await problem(await post('/v1/things', members(5_000), { ...bearer, ...JSON_HEADERS }))).toEqual(
        shape(400, 'invalid_request'),
      );
    });

    it('takes one Host only', async () => {
      const { hostname, port } = new URL(test.url);
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(Number(port), hostname, () =>
          socket.write('GET /health/live HTTP/1.1\r\nhost: a.example\r\nhost: b.example\r\nconnection: close\r\n\r\n'),
        );
        let text = '';
        socket.on('data', (chunk) => (text += chunk.toString()));
        socket.on('close', () => resolve(text));
        socket.on('error', reject);
      });
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain('"code":"invalid_request"');
    });

    it('takes no other content type, and nothing compressed', async () => {
      expect(await problem(await post('/v1/things', 'name=a', { ...bearer, 'content-type': 'text/plain' }))).toEqual(
        shape(415, 'unsupported_media_type'),
      );
      expect(await problem(await post('/v1/things', '<a/>', { ...bearer, 'content-type': 'application/xml' }))).toEqual(
        shape(415, 'unsupported_media_type'),
      );
      expect(await problem(await post('/v1/things', '{}', { ...bearer, ...JSON_HEADERS, 'content-encoding': 'gzip' }))).toEqual(
        shape(415, 'unsupported_media_type'),
      );
    });

    it('hands webhooks on byte by byte, whatever their content type says', async () => {
      const bytes = '{ "a" :1,\r\n"__proto__":2 }';
      for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain', 'application/octet-stream', 'image/png']) {
        expect(await (await post('/webhooks/probe', bytes, { 'content-type': type })).json()).toEqual({
          buffer: true,
          same: true,
          text: bytes,
        });
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

    it.each(['/v1/things/%zz', '/v1/things/%', '/v1/things/%ff', '/webhooks/%c0%ae', `/v1/things/${'a'.repeat(600)}`])(
      'answers the address %s, which the router cannot read, in the same shape',
      async (path) => {
        const answer = await get(path, bearer);
        expect(answer.headers.get('x-request-id')).toBeTruthy();
        expect(await problem(answer)).toEqual(shape(400, 'invalid_request'));
      },
    );

    it('tells nothing of an unknown failure but its request id, which the log explains', async () => {
      const answer = await get('/v1/things/broken', { ...bearer, 'x-request-id': 'req-broken' });
      const text = await answer.text();
      expect(JSON.parse(text)).toMatchObject({
        code: 'internal_error',
        requestId: 'req-broken',
        type: `${test.url}/errors#internal_error`,
      });
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
      expect([headers.get('x-content-type-options'), headers.get('referrer-policy'), headers.get('x-powered-by')]).toEqual([
        'nosniff',
        'no-referrer',
        null,
      ]);
    });

    it('logs one line a request, with the route and never the query', async () => {
      lines.length = 0;
      await get('/session?code=CANARY1', {
        'x-request-id': 'req-log',
        traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
        cookie: 'c=CANARY2',
        authorization: 'Bearer CANARY3',
      });
      const mine = lines.filter((line) => line.includes('req-log') && line.includes('"request"'));
      expect(mine.map((line) => JSON.parse(line) as unknown)).toEqual([
        expect.objectContaining({ method: 'GET', route: '/session', status: 401, traceId: 'a'.repeat(32) }),
      ]);
      expect(lines.join('')).not.toContain('CANARY');
    });
  });

  describe('operations', () => {
    it('shows metrics to operators', async () => {
      expect((await get('/metrics')).status).toBe(401);
      expect((await get('/metrics', bearer)).status).toBe(403);
      const operator = await get('/metrics', {
        authorization: `Bearer ${await test.tokenFor({ tenant: 'ops', user: 'o', role: 'operator' })}`,
      });
      expect(await operator.text()).toContain('trestle_http_requests_total');
    });

    it('describes every route with its parameters, security and failures', async () => {
      const document = (await (await get('/docs-json')).json()) as { paths: Record<string, Record<string, unknown>> };
      expect(document.paths['/v1/things']?.['get']).toMatchObject({
        security: [{ bearer: [] }],
        parameters: [{ name: 'limit', in: 'query', required: false }],
        responses: { default: {} },
      });
      expect(document.paths['/v1/things']?.['post']).toMatchObject({
        requestBody: {
          content: {
            'application/json': { schema: { required: ['name'], additionalProperties: false, properties: { name: { type: 'string' } } } },
          },
        },
      });
      expect(document.paths['/probe-page']).toBeUndefined();
      for (const path of ['/docs', '/docs/try.js']) {
        const answer = await get(path);
        expect([path, answer.status, (await answer.text()).length > 0]).toEqual([path, 200, true]);
      }
      expect((await get('/docs/package.json')).status).toBe(404);
    });
  });
});
