import { startTestApp, type TestApp } from './support/test-app';

describe('limits of the edge', () => {
  let test: TestApp;
  const start = async (settings: Record<string, string>) => {
    test = await startTestApp({ settings });
  };
  afterEach(() => test.close());

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
    expect(seen.slice(0, 10).every((status) => status === 200)).toBe(true);
    expect(seen.filter((status) => status === 429).length).toBeGreaterThan(10);
    const answer = await fetch(`${test.url}/errors`);
    expect([answer.status, Number(answer.headers.get('retry-after'))]).toEqual([429, 1]);
    expect(await answer.json()).toMatchObject({ code: 'too_many_requests', retryable: true, retryAfter: 1 });
  });

  it('stops guessing of tokens, without shutting out who shares the address', async () => {
    await start({ REQUESTS_PER_SECOND: '1000' });
    const seen = await statuses(130, (i) => ({ authorization: `Bearer a.b.${i}` }), '/metrics');
    expect(new Set(seen.slice(0, 100))).toEqual(new Set([401]));
    expect(seen.slice(100).filter((status) => status === 429).length).toBeGreaterThan(15);
    const token = await test.tokenFor({ tenant: 'ops', user: 'o', role: 'operator' });
    expect(await statuses(1, () => ({ authorization: `Bearer ${token}` }), '/metrics')).toEqual([200]);
  });

  it('believes X-Forwarded-For of the proxies that are trusted, of nobody else', async () => {
    await start({ REQUESTS_PER_SECOND: '5', TRUSTED_PROXIES: '127.0.0.1' });
    const seen = await statuses(40, (i) => ({ 'x-forwarded-for': `10.0.0.${i}` }));
    expect(new Set(seen)).toEqual(new Set([200]));
  });

  it('hides the docs where they are off', async () => {
    await start({ DOCS: 'false' });
    for (const path of ['/docs', '/docs-json', '/docs/start.js']) expect((await fetch(test.url + path)).status).toBe(404);
  });
});
