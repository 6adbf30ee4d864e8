import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../clock';
import { BodyBudget } from './body-budget';
import { PlainDeliveries } from './plain-deliveries';

const plain = new PlainDeliveries();
let server: Server;
let url: string;

beforeAll(async () => {
  const ordinary = plain.before((_, response) => response.writeHead(418).end());
  server = createServer(ordinary);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const post = async (path: string, body: string) => {
  const { status } = await fetch(url + path, { method: 'POST', body, headers: { connection: 'close' } });
  return status;
};

it('leaves everything to the ordinary way until it is opened, and then what is not plain', async () => {
  expect(await post('/webhooks/known', '{}')).toBe(418);
  const taken: string[] = [];
  plain.open({
    rules: { headers: () => ({}), admit: () => undefined, answered: () => undefined, givenUp: () => undefined },
    problems: { understood: (thrown) => thrown as never, tell: () => ({}) as never },
    clock: systemClock,
    bodies: new BodyBudget(),
    basePath: '',
    maxBytes: 10,
    addressOf: () => '192.0.2.1',
    takes: (provider) => provider === 'known',
    receive: (_, { method, url: address, body }) => {
      taken.push(`${method} ${address} ${body.toString()}`);
      return Promise.resolve({ status: 202 });
    },
  });
  expect(await post('/webhooks/known', '{}')).toBe(202);
  expect(taken).toEqual(['POST /webhooks/known {}']);
  for (const [path, body] of [
    ['/webhooks/other', '{}'],
    ['/webhooks/known?a=1', '{}'],
    ['/webhooks/kn%6Fwn', '{}'],
    ['/webhooks/known', '12345678901'],
    ['/webhooks/known', ''],
  ] as const)
    expect(await post(path, body)).toBe(418);
});
