import fastifyFactory from 'fastify';
import { connect, type AddressInfo } from 'node:net';
import { IntegrationError } from '../../errors';
import { BodyBudget } from './body-budget';
import { registerBodyParsers } from './body-parsers';
import { registerEdgeHooks } from './hooks';
import type { RequestRules } from './request-rules';

const rules = { headers: () => ({}), admit: () => undefined, answered: () => undefined, givenUp: () => undefined };
const bodies = new BodyBudget(100_000);
const fastify = fastifyFactory();
let answer: (() => void) | undefined;

beforeAll(async () => {
  const caller = { tenant: 'acme', userId: 'u1', role: 'user' } as const;
  registerEdgeHooks(fastify, {
    rules: rules as unknown as RequestRules,
    bearers: { of: () => Promise.resolve(caller) },
    crossOrigin: { admit: () => false },
    bodies,
    owns: () => true,
  });
  registerBodyParsers(fastify, { webhookMaxBytes: 90_000, proxyMaxBytes: 90_000, basePath: '', owns: () => true });
  fastify.setErrorHandler((error, _, reply) =>
    reply.status(error instanceof IntegrationError && error.code === 'busy' ? 503 : 500).send({}),
  );
  fastify.post('/webhooks/slow', () => new Promise((resolve) => (answer = () => resolve('ok'))));
  fastify.post('/webhooks/quick', (request) => ({ length: (request.body as Buffer).length }));
  await fastify.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => {
  fastify.server.closeAllConnections();
  return fastify.close();
});

const url = () => `http://127.0.0.1:${(fastify.server.address() as AddressInfo).port}`;
const post = (path: string, bytes: number) => fetch(url() + path, { method: 'POST', body: Buffer.alloc(bytes) });

it('holds the bytes of a body until its request is answered; whoever has no room meanwhile is told to come again', async () => {
  const slow = post('/webhooks/slow', 80_000);
  while (!answer) await new Promise((r) => setTimeout(r, 5));
  expect(bodies.heldBytes).toBe(80_000);
  const refused = await post('/webhooks/quick', 80_000);
  expect([refused.status, refused.headers.get('connection')]).toEqual([503, 'close']);
  expect(await (await post('/webhooks/quick', 10_000)).json()).toEqual({ length: 10_000 });

  const socket = connect((fastify.server.address() as AddressInfo).port, '127.0.0.1');
  let text = '';
  const ended = new Promise((resolve) => socket.on('data', (data) => (text += data.toString())).on('close', resolve));
  const chunk = `7530\r\n${'x'.repeat(30_000)}\r\n`;
  socket.write(`POST /webhooks/quick HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n${chunk}`);
  await ended;
  expect(text).toMatch(/^HTTP\/1\.1 503 /);

  answer();
  expect(await (await slow).text()).toBe('ok');
  while (bodies.heldBytes > 0) await new Promise((r) => setTimeout(r, 5));
  expect(await (await post('/webhooks/quick', 80_000)).json()).toEqual({ length: 80_000 });
});
