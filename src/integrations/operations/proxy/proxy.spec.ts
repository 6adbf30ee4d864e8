import fc from 'fast-check';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { request as rawRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { registerBodyParsers } from '../../../http-api/edge/body-parsers';
import type { EdgeRequest } from '../../../http-api';
import { problemOf, requestContext } from '../../../http-api';
import type { ConnectionRef } from '../../contract';
import { proxyRequestHeaders, proxyResponseHeaders } from './proxy-headers';
import { proxyTarget } from './proxy-target';
import { JobsModule } from '../../jobs';
import { OperationsModule } from '../operations.module';
import { chainFixture, type ChainFixture } from '../../outbound/testing/chain-fixture';

const ID = '0193a0b0-0000-7000-8000-000000000001';
const to = (path: string, base = 'https://api.example.com/v2/') => proxyTarget(`/v1/connections/${ID}/proxy/${path}`, base);

describe('where a proxied request goes', () => {
  it.each([
    ['users/1?a=b%20c&x=https://evil', 'https://api.example.com/v2/users/1?a=b%20c&x=https://evil'],
    ['calendars/ada%40acme.test/events', 'https://api.example.com/v2/calendars/ada%40acme.test/events'],
    ['a%20b/c%C3%BC/', 'https://api.example.com/v2/a%20b/c%C3%BC/'],
    ['things:batch'.replace('things', 'v1/things'), 'https://api.example.com/v2/v1/things:batch'],
    ['', 'https://api.example.com/v2/'],
  ])('%s is below the base', (path, expected) => {
    expect(to(path).href).toBe(expected);
  });

  it.each([
    'https://evil.example/',
    'https:evil.example',
    'HTTP:%2f%2fevil.example',
    'http%3A//evil.example',
    '/evil.example',
    '//evil.example/x',
    '%2fevil.example',
    '%2F%2Fevil.example',
    '%252f%252fevil.example',
    '\\evil.example',
    '\\\\evil.example',
    '%5cevil.example',
    '%5C%5Cevil.example',
    '@evil.example',
    'x@evil.example',
    'a/x@evil.example',
    '%40evil.example',
    'x%40evil.example/',
    '..',
    '../admin',
    'a/../../admin',
    'a/..',
    '%2e%2e/admin',
    '%2E%2E%2Fadmin',
    '.%2e/admin',
    '%252e%252e/admin',
    '%25252e%25252e/x',
    './a',
    'a/./b',
    '%2e/a',
    'a//b',
    'a%2fb',
    'a%5cb',
    'a%00b',
    'a%0d%0aHost:evil',
    'a%0ab',
    '%',
    '%zz',
    'a%09b',
  ])('%s is refused', (path) => {
    expect(() => to(path)).toThrow(expect.objectContaining({ code: 'destination_refused', status: 400 }) as Error);
  });

  it.each([
    '/v1/connections/x/proxy/a',
    `/v1/connections/${ID}/%70roxy/a`,
    `http://evil.example/v1/connections/${ID}/proxy/a`,
    `/v1/connections/${ID}/proxy`,
  ])('%s is no proxied address', (url) => {
    expect(() => proxyTarget(url, 'https://api.example.com/')).toThrow();
  });

  it('never leaves the base, whatever is sent', () => {
    const piece = fc.constantFrom(
      '..',
      '.',
      '/',
      '//',
      '\\',
      '@',
      ':',
      '%2e',
      '%2f',
      '%5c',
      '%40',
      '%25',
      '%',
      'evil.example',
      'a',
      'b',
      'http:',
      '?',
      '#',
      ';',
      '%0a',
      ' ',
      '\t',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        let target: URL;
        try {
          target = to(pieces.join(''));
        } catch {
          return true;
        }
        return (
          target.origin === 'https://api.example.com' &&
          target.pathname.startsWith('/v2/') &&
          !decodeURIComponent(target.pathname).split('/').includes('..')
        );
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('headers on their way through', () => {
  it('strips what is of this hop, ours or the connection’s', () => {
    const headers = proxyRequestHeaders({
      host: 'trestle',
      connection: 'keep-alive, X-Secret-Hop',
      'x-secret-hop': '1',
      cookie: 'session=1',
      authorization: 'Bearer ours',
      'x-forwarded-for': '1.2.3.4',
      'transfer-encoding': 'chunked',
      te: 'trailers',
      upgrade: 'h2c',
      'content-length': '3',
      'x-http-method-override': 'DELETE',
      'proxy-authorization': 'x',
      accept: 'application/json',
      'stripe-version': '2026-10-28',
      'content-type': 'text/plain',
    });
    expect(Object.fromEntries(headers)).toEqual({
      accept: 'application/json',
      'stripe-version': '2026-10-28',
      'content-type': 'text/plain',
    });
  });

  it('hands back only what is known to be harmless', () => {
    const headers = proxyResponseHeaders(
      new Headers({
        'set-cookie': 'a=1',
        location: 'https://evil',
        'content-type': 'text/html',
        'x-powered-by': 'x',
        etag: '"1"',
        'access-control-allow-origin': '*',
        'x-ratelimit-remaining': '3',
      }),
    );
    expect(headers).toEqual({
      'content-type': 'text/html',
      etag: '"1"',
      'x-ratelimit-remaining': '3',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'no-store',
    });
  });
});

describe('a proxied call', () => {
  let fixture: ChainFixture;
  let app: NestFastifyApplication;
  let provider: Server;
  let connection: ConnectionRef;
  let base: string;
  let seen: { url?: string; method?: string; headers: IncomingHttpHeaders; body: string }[];
  let answer: (response: import('node:http').ServerResponse) => void;

  beforeAll(async () => {
    provider = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => {
          seen.push({ url: request.url, method: request.method, headers: request.headers, body: Buffer.concat(chunks).toString() });
          answer(response);
        });
    });
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
    fixture = await chainFixture({
      imports: [JobsModule, OperationsModule],
      apiBaseUrls: { google: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/api/` },
    });
    connection = await fixture.connect('google');
    app = fixture.module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { bodyParser: false });
    const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
    registerBodyParsers(fastify, { webhookMaxBytes: 1000, proxyMaxBytes: 1_000_000, basePath: '', owns: () => true });
    fastify.addHook('onRequest', (request, _reply, done) => {
      const caller = { tenant: String(request.headers['x-tenant'] ?? 'acme'), userId: connection.userId, role: 'user' as const };
      (request as EdgeRequest).caller = caller;
      requestContext.run({ requestId: request.id, principal: caller }, done);
    });
    app.useGlobalFilters({
      catch: (error: unknown, host: import('@nestjs/common').ArgumentsHost) => {
        const problem = problemOf(error, 'r');
        void host.switchToHttp().getResponse<import('fastify').FastifyReply>().status(problem.status).send(problem);
      },
    });
    await app.listen(0, '127.0.0.1');
    base = `${await app.getUrl()}/v1/connections/${connection.id}/proxy/`;
  });
  afterAll(async () => {
    await app.close();
    await fixture.close();
    await new Promise((resolve) => provider.close(resolve));
  });
  beforeEach(() => {
    seen = [];
    answer = (response) => response.writeHead(200, { 'content-type': 'application/json', 'set-cookie': 'a=1' }).end('{"ok":true}');
  });

  it('carries the connection’s token, the body and the query, and hands the answer back', async () => {
    const response = await fetch(`${base}things/1?x=1`, {
      method: 'POST',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json', authorization: 'Bearer ours', cookie: 'c=1' },
    });
    expect([response.status, await response.json(), response.headers.get('set-cookie')]).toEqual([200, { ok: true }, null]);
    expect(seen).toMatchObject([{ url: '/api/things/1?x=1', method: 'POST', body: '{"a":1}' }]);
    expect(seen[0]!.headers.authorization).toMatch(/^Bearer (?!ours)/);
    expect(seen[0]!.headers.cookie).toBeUndefined();
    expect(seen[0]!.headers.host).toBe(`127.0.0.1:${(provider.address() as AddressInfo).port}`);
  });

  it('hands the provider’s refusals through as they are', async () => {
    answer = (response) => response.writeHead(422, { 'content-type': 'application/json' }).end('{"message":"no such field"}');
    const response = await fetch(`${base}things`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });
    expect([response.status, await response.json()]).toEqual([422, { message: 'no such field' }]);
  });

  it('streams: the first bytes are here before the last are sent', async () => {
    let finish = () => {};
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/csv' });
      response.write('first\n');
      finish = () => response.end('last\n');
    };
    const response = await fetch(`${base}export`);
    const reader = response.body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('first\n');
    finish();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('last\n');
  });

  it('does not follow the provider to another host', async () => {
    answer = (response) => response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end();
    const response = await fetch(`${base}things`, { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([502, null]);
    expect(seen).toHaveLength(1);
  });

  it('sends no TRACE, whose answer would show the token', async () => {
    answer = (response) => response.writeHead(200, { 'content-type': 'message/http' }).end(seen[0]?.headers.authorization);
    const { hostname, port, pathname } = new URL(base);
    const status = await new Promise<number>((resolve, reject) => {
      rawRequest({ method: 'TRACE', hostname, port, path: `${pathname}things` }, (response) => resolve(response.resume().statusCode!))
        .on('error', reject)
        .end();
    });
    expect([status, seen]).toEqual([405, []]);
  });

  it('is a 404 for another tenant, and for a connection that is none', async () => {
    expect((await fetch(`${base}things`, { headers: { 'x-tenant': 'other' } })).status).toBe(404);
    expect((await fetch(base.replace(connection.id, 'x') + 'things')).status).toBe(404);
    expect(seen).toEqual([]);
  });

  it.each(['//evil.example/x', '..%2f..%2fadmin', '%2e%2e/admin', 'https://evil.example/', '@evil.example/', '%5c%5cevil.example'])(
    'refuses %s before anything is sent',
    async (path) => {
      const { hostname, port, pathname } = new URL(base);
      const status = await new Promise<number>((resolve, reject) => {
        rawRequest({ hostname, port, path: pathname + path }, (response) => resolve(response.resume().statusCode!))
          .on('error', reject)
          .end();
      });
      expect(status).toBe(400);
      expect(seen).toEqual([]);
    },
  );
});
