import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TrestleClient } from '../packages/client/src/index.ts';

type Reply = (response: ServerResponse, request: IncomingMessage) => void;

const PROBLEM = {
  type: 'about:blank',
  title: 'Busy',
  status: 503,
  code: 'busy',
  detail: 'Too busy.',
  nextStep: 'Ask again.',
  requestId: 'r1',
};
const refuse =
  (status: number, body: object = {}, headers: Record<string, string> = {}): Reply =>
  (response) =>
    response
      .writeHead(status, { 'content-type': 'application/problem+json', ...headers })
      .end(JSON.stringify({ ...PROBLEM, status, ...body }));
const busy = (headers?: Record<string, string>) => refuse(503, { retryable: true }, headers);
const list: Reply = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":[],"nextCursor":null}');
const breakOff: Reply = (response) => response.destroy();

/** Answers that the service gives rarely, by a server that gives them one after the other; the last one for good. */
describe('the client, where it is not answered well', () => {
  let server: Server;
  let script: Reply[];
  let asked: { method: string; key: string | undefined; bearer: string | undefined; at: number }[];
  let client: TrestleClient;
  let tokens: number;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const { 'idempotency-key': key, authorization: bearer } = request.headers;
      asked.push({ method: request.method ?? '', key: key as string | undefined, bearer, at: Date.now() });
      const reply = script[Math.min(asked.length, script.length) - 1];
      request.resume().on('end', () => reply?.(response, request));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  beforeEach(() => {
    asked = [];
    tokens = 0;
    client = clientWith(5_000);
  });

  const clientWith = (deadlineMs: number) =>
    new TrestleClient({
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      token: () => Promise.resolve(`t${++tokens}`),
      deadlineMs,
    });
  const message = () =>
    client.post('/v1/connections/{id}/slack/messages', { params: { path: { id: 'c1' } }, body: { channel: 'general', text: 'Hi' } });
  const session = () => client.post('/v1/connect-sessions', { body: { provider: 'slack' } });

  it('reads again after a break and a busy moment, with a token asked for anew', async () => {
    script = [breakOff, busy(), list];
    expect(await client.get('/v1/connections')).toEqual({ data: [], nextCursor: null });
    expect(asked.map(({ bearer }) => bearer)).toEqual(['Bearer t1', 'Bearer t2', 'Bearer t3']);
  });

  it('waits as long as Retry-After says', async () => {
    script = [busy({ 'retry-after': '1' }), list];
    await client.get('/v1/connections');
    expect((asked[1]?.at ?? 0) - (asked[0]?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it('does not wait past its deadline: the answer is the failure', async () => {
    script = [busy({ 'retry-after': '60' }), list];
    const began = Date.now();
    await expect(client.get('/v1/connections')).rejects.toMatchObject({ code: 'busy', status: 503, requestId: 'r1' });
    expect([asked.length, Date.now() - began < 2_000]).toEqual([1, true]);
  });

  it('gives up a call that is not answered at its deadline', async () => {
    script = [() => undefined];
    await expect(clientWith(200).get('/v1/connections')).rejects.toMatchObject({ code: 'deadline_exceeded', retryable: false });
  });

  it('stops where the caller does', async () => {
    script = [busy({ 'retry-after': '3' }), list];
    const signal = AbortSignal.timeout(100);
    await expect(client.get('/v1/connections', { signal })).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(asked).toHaveLength(1);
  });

  it('acts again with the key of the first try, and with the caller’s where one is given', async () => {
    script = [breakOff, busy(), refuse(422, { code: 'missing_scope', retryable: false, missingScopes: ['chat:write'] })];
    await expect(message()).rejects.toMatchObject({ code: 'missing_scope', extra: { missingScopes: ['chat:write'] } });
    expect([asked.length, new Set(asked.map(({ key }) => key)).size]).toEqual([3, 1]);
    asked = [];
    const params = { path: { id: 'c1' }, header: { 'idempotency-key': 'order-7' } };
    await expect(
      client.post('/v1/connections/{id}/slack/messages', { params, body: { channel: 'general', text: 'Hi' } }),
    ).rejects.toMatchObject({ code: 'missing_scope' });
    expect(asked.map(({ key }) => key)).toEqual(['order-7', 'order-7', 'order-7']);
  });

  it('asks no second time for an answer that is for good', async () => {
    script = [refuse(502, { retryable: true }, { 'idempotent-replayed': 'true' }), list];
    await expect(message()).rejects.toMatchObject({ status: 502 });
    expect(asked).toHaveLength(1);
    asked = [];
    script = [refuse(409, { code: 'outcome_unknown', retryable: false }), list];
    await expect(message()).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(asked).toHaveLength(1);
  });

  it('does not repeat what would be done twice', async () => {
    script = [breakOff, list];
    await expect(session()).rejects.toMatchObject({ code: 'network_failed' });
    expect(asked.map(({ method, key }) => [method, key])).toEqual([['POST', undefined]]);
  });

  it('tells an answer that is not the service’s apart', async () => {
    script = [(response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>nginx</h1>')];
    await expect(client.get('/v1/connections')).rejects.toMatchObject({ code: 'unexpected_answer', status: 404, retryable: false });
  });

  it('comes back to a stream that broke, reads events in pieces, and ends after several that told nothing', async () => {
    const stream =
      (...pieces: string[]): Reply =>
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const piece of pieces) response.write(piece);
        setImmediate(() => response.end());
      };
    script = [
      stream('retry: 1\n\nevent: sy', 'nc\ndata: {"id":1}\n\nevent: heartbeat\ndata: {}\n\n'),
      breakOff,
      stream('event: changes\r\ndata: {"resource":"channels"}\r\n\r\nevent: sync\ndata: {"cut'),
      stream(),
    ];
    const heard: unknown[] = [];
    for await (const event of client.events('c1', { maxFailures: 3 })) heard.push(event);
    expect(heard).toEqual([
      { type: 'sync', data: { id: 1 } },
      { type: 'changes', data: { resource: 'channels' } },
    ]);
    expect(asked).toHaveLength(6); // the first, the broken one, the next, three empty ones
  });

  it('takes no event without an end into its memory', async () => {
    script = [
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(`data: ${'x'.repeat(2 * 1024 * 1024)}`);
      },
    ];
    await expect(client.events('c1', { maxFailures: 1 }).next()).rejects.toMatchObject({ code: 'network_failed' });
  });
});
