import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { assertPublicUrl, createAgent, isPublicAddress, publicLookup } from './egress-guard';
import { DestinationHttp } from './destination-http';

const PRIVATE = [
  '127.0.0.1',
  '127.8.8.8',
  '0.0.0.0',
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '240.0.0.1',
  '::',
  '::1',
  'fe80::1',
  'fc00::1',
  'fd12::1',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:a9fe:a9fe',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  '::127.0.0.1',
  '2001:db8::1',
  'not an address',
  '',
];

describe('which addresses are public', () => {
  it.each(PRIVATE)('%s is not', (address) => expect(isPublicAddress(address)).toBe(false));
  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:8.8.8.8'])('%s is', (address) =>
    expect(isPublicAddress(address)).toBe(true),
  );
});

describe('a configurable address in production', () => {
  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://169.254.169.254/latest',
    'http://localhost/',
    'http://localhost./',
    'http://foo.localhost/',
    'http://metadata.google.internal/',
    'http://intranet/',
    'https://user:pass@example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'http://①②⑦.0.0.1/',
  ])('%s is refused', (url) => {
    expect(() => assertPublicUrl(new URL(url))).toThrow(expect.objectContaining({ code: 'destination_refused' }) as Error);
  });

  it('may be public', () => {
    for (const url of ['https://hooks.example.com/x', 'http://8.8.8.8:8080/']) expect(() => assertPublicUrl(new URL(url))).not.toThrow();
  });
});

describe('connecting', () => {
  let inside: Server;
  let port: number;
  let hits = 0;
  beforeAll(async () => {
    inside = createServer((_, response) => {
      hits++;
      response.writeHead(302, { location: `http://127.0.0.1:${port}/again` }).end();
    });
    await new Promise<void>((resolve) => inside.listen(0, resolve));
    ({ port } = inside.address() as AddressInfo);
  });
  afterAll(() => new Promise((resolve) => inside.close(resolve)));
  beforeEach(() => {
    hits = 0;
  });

  it.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433'])(
    'to %s is refused by the socket itself, whoever forgot to ask before',
    async (host) => {
      const agent = createAgent({ guarded: true, connections: 1, connectTimeoutMs: 1_000, headersTimeoutMs: 1_000, bodyTimeoutMs: 1_000 });
      await expect(agent.request({ origin: new URL(`http://${host}:${port}`).origin, path: '/', method: 'GET' })).rejects.toThrow();
      await agent.destroy();
      expect(hits).toBe(0);
    },
  );

  it('looks a name up once, and refuses one that leads inside', async () => {
    const refused = await new Promise((resolve) => publicLookup('localhost', { all: true }, (error) => resolve(error)));
    expect(refused).toMatchObject({ code: 'destination_refused' });
  });

  it('posts without following a redirect, outside of production also to this machine', async () => {
    const http = new DestinationHttp({ production: false });
    expect(await http.post(`http://127.0.0.1:${port}/`, { body: '{}', headers: {}, timeoutMs: 1_000 })).toBe(302);
    expect(hits).toBe(1);
    await http.onApplicationShutdown();
  });

  it('refuses to post inside in production', async () => {
    const http = new DestinationHttp({ production: true });
    for (const url of [
      `http://127.0.0.1:${port}/`,
      `http://localhost:${port}/`,
      `http://127.0.0.1.nip.io:${port}/`.replace('.nip.io', ''),
      'nonsense',
    ]) {
      await expect(http.post(url, { body: '{}', headers: {}, timeoutMs: 1_000 })).rejects.toMatchObject({ code: 'destination_refused' });
    }
    expect(hits).toBe(0);
    await http.onApplicationShutdown();
  });
});
