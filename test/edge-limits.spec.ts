import { connect } from 'node:net';
import { networkOf } from '../src/http-api/edge/network-of';
import { startTestApp, type TestApp } from './support/test-app';

const SIGNED = {
  STRIPE_SECRET_KEY: `sk_test_${'a'.repeat(32)}`,
  STRIPE_WEBHOOK_SECRET: `whsec_${'b'.repeat(32)}`,
  REQUESTS_PER_SECOND: '1000',
};

describe('limits of the edge', () => {
  let test: TestApp;
  const start = async (settings: Record<string, string>) => {
    test = await startTestApp({ settings });
  };
  // Buckets fill with time: it stands still, so that a busy machine counts as a quiet one does.
  beforeEach(() => jest.spyOn(performance, 'now').mockReturnValue(performance.now()));
  afterEach(() => {
    jest.restoreAllMocks();
    return test.close();
  });

  const statuses = async (times: number, headers: (i: number) => Record<string, string>, path = '/errors') => {
    const seen: number[] = [];
    for (let i = 0; i < times; i++) {
      const answer = await fetch(test.url + path, { headers: headers(i) });
      await answer.text();
      seen.push(answer.status);
    }
    return seen;
  };

  it('slows a flood down, and is not fooled by X-Forwarded-For', async () => {
    await start({ REQUESTS_PER_SECOND: '5' });
    const seen = await statuses(40, (i) => ({ 'x-forwarded-for': `10.0.0.${i}` }));
    expect(seen.map((status, i) => [i < 10, status])).toEqual(seen.map((_, i) => [i < 10, i < 10 ? 200 : 429]));
    const answer = await fetch(`${test.url}/errors`);
    expect([answer.status, Number(answer.headers.get('retry-after'))]).toEqual([429, 1]);
    expect(await answer.json()).toMatchObject({ code: 'too_many_requests', retryable: true, retryAfter: 1 });
  });

  it('stops guessing of tokens, without shutting out who shares the address', async () => {
    await start({ REQUESTS_PER_SECOND: '1000' });
    const seen = await statuses(130, (i) => ({ authorization: `Bearer a.b.${i}` }), '/metrics');
    expect(new Set(seen.slice(0, 100))).toEqual(new Set([401]));
    expect(new Set(seen.slice(100))).toEqual(new Set([429]));
    const token = await test.tokenFor({ tenant: 'ops', user: 'o', role: 'operator' });
    expect(await statuses(1, () => ({ authorization: `Bearer ${token}` }), '/metrics')).toEqual([200]);
  });

  it('believes X-Forwarded-For of the proxies that are trusted, of nobody else', async () => {
    await start({ REQUESTS_PER_SECOND: '5', TRUSTED_PROXIES: '127.0.0.1' });
    const seen = await statuses(40, (i) => ({ 'x-forwarded-for': `10.0.0.${i}` }));
    expect(new Set(seen)).toEqual(new Set([200]));
  });

  it('refuses who brings no token before the body has come, and reads no more of it', async () => {
    await start({});
    const { hostname, port, host } = new URL(test.url);
    for (const length of ['content-length: 1000000', 'transfer-encoding: chunked']) {
      const socket = connect(Number(port), hostname);
      let text = '';
      const ended = new Promise((resolve) => socket.on('data', (data) => (text += data.toString())).on('close', resolve));
      socket.write(`POST /v1/connect-sessions HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n${length}\r\n\r\n`);
      await ended; // by the service: not a byte of the body was sent
      expect(text).toMatch(/^HTTP\/1\.1 401 /);
      expect(text.toLowerCase()).toContain('connection: close');
      expect(text).toContain('"unauthorized"');
    }
  });

  it('bounds what one address sends to the API and to webhooks, whoever it says it is', async () => {
    await start({ REQUESTS_PER_SECOND: '1' });
    for (const path of ['/v1/connect-sessions', '/webhooks/stripe']) {
      const answers = await Promise.all(Array.from({ length: 250 }, () => fetch(test.url + path, { method: 'POST', body: '{}' })));
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(path.startsWith('/v1') ? 150 : 250); // one bucket for both
    }
  });

  it('looks at only so many forged deliveries of one address, past the framework and within it, and tells proxies’ senders apart', async () => {
    await start({ ...SIGNED, TRUSTED_PROXIES: '127.0.0.1' });
    const deliver = async (from: string, type: string, body = '{}') => {
      const headers = { 'x-forwarded-for': from, 'content-type': 'application/json', 'stripe-signature': 't=1,v1=00' };
      // A query makes it no plain delivery.
      const { status } = await fetch(`${test.url}/webhooks/stripe${type}`, { method: 'POST', body, headers });
      return status;
    };
    for (const [from, type] of [
      ['203.0.113.1', ''],
      ['203.0.113.2', '?x=1'],
    ] as const) {
      const seen = await Promise.all(Array.from({ length: 800 }, () => deliver(from, type)));
      expect(new Set(seen)).toEqual(new Set([401, 429]));
      expect(seen.filter((status) => status === 401).length).toBeGreaterThanOrEqual(300);
    }
    expect(await deliver('203.0.113.3', '')).toBe(401);
  });

  it('knows neighbours of an IPv6 network as one, and an IPv4 address in every spelling', async () => {
    await start({});
    for (const neighbour of ['2001:db8:1:2::1', '2001:db8:1:2:ffff::', '2001:0DB8:0001:0002:0:0:0:9'])
      expect(networkOf(neighbour)).toBe('2001:db8:1:2::/64');
    expect(networkOf('2001:db8:1:3::1')).toBe('2001:db8:1:3::/64');
    expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    for (const same of ['192.0.2.7', '::ffff:192.0.2.7', '::FFFF:c000:207']) expect(networkOf(same)).toBe('192.0.2.7');
  });

  it('hides the docs where they are off', async () => {
    await start({ DOCS: 'false' });
    for (const path of ['/docs', '/docs-json', '/docs/try.js']) expect((await fetch(test.url + path)).status).toBe(404);
  });
});
