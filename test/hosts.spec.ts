import { connect } from 'node:net';
import { signedDelivery } from '../src/integrations/webhooks/testing';
import { Browser } from '../demo/http-client';
import { startTestApp } from './support/test-app';
import { startPages } from './support/pages-fixture';
import { startHostApp, type HostApp, type HostAppOptions } from './support/host-app';

const PATIENCE_MS = 20_000;
const SIGNING_SECRET = 'a-signing-secret-of-slack';
/** Of the product's pages. */
const PAGES = 'https://shop.example';
const HOSTS: readonly (Pick<HostAppOptions, 'host' | 'prefix'> & { where: string })[] = [
  { host: 'Fastify', where: 'the root' },
  { host: 'Fastify', where: '/integrations', prefix: 'integrations' },
  { host: 'Express', where: 'the root' },
  { host: 'Express', where: '/api/integrations', prefix: '/api/integrations/' },
];

describe.each(HOSTS)('Trestle in an application on $host, below $where', ({ host, prefix }) => {
  let shop: HostApp;
  let ada: string;
  let root: string;

  beforeAll(async () => {
    shop = await startHostApp({ host, prefix, settings: { SLACK_SIGNING_SECRET: SIGNING_SECRET, BROWSER_ORIGINS: PAGES } });
    ada = await shop.tokenFor({ tenant: 'acme', user: 'ada' });
    root = await shop.tokenFor({ tenant: 'acme', user: 'root', role: 'admin' });
  }, 120_000);
  afterAll(() => shop?.close());

  const json = { 'content-type': 'application/json' };
  const call = async (path: string, { token = ada, ...init }: RequestInit & { token?: string } = {}) => {
    const answer = await fetch(shop.url + path, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) },
      redirect: 'manual',
    });
    const text = await answer.text();
    const type = answer.headers.get('content-type')?.split(';')[0];
    return { status: answer.status, type, headers: answer.headers, body: (type?.includes('json') ? JSON.parse(text) : text) as never };
  };
  const own = async (path: string, init?: RequestInit) => {
    const answer = await fetch(shop.origin + path, init);
    return { status: answer.status, id: answer.headers.get('x-request-id'), text: await answer.text() };
  };

  it('leaves to the application what is its own: routes, bodies, failures, addresses of nobody', async () => {
    expect(await own('/shop')).toEqual({ status: 200, id: null, text: '{"shop":"open"}' });
    expect(await own('/shop', { method: 'POST', headers: json, body: '{"a":1}' })).toMatchObject({ text: '{"took":{"a":1}}' });
    expect(await own('/shop/broken')).toMatchObject({ status: 500, id: null });
    const malformed = await own('/shop', { method: 'POST', headers: json, body: '{' });
    expect([malformed.status, malformed.text.includes('requestId')]).toEqual([400, false]);
    expect(await own('/nothing')).toMatchObject({ status: 404, id: null });
    if (prefix) expect(await own('/v1/providers')).toMatchObject({ status: 404, id: null });
  });

  it('answers its own routes with its own rules, from the token before the body to the problem', async () => {
    const { status, headers, body } = await call('/v1/providers');
    expect([status, headers.get('x-content-type-options'), headers.get('x-powered-by')]).toEqual([200, 'nosniff', null]);
    expect((body as { data: { key: string }[] }).data.map(({ key }) => key)).toContain('slack');
    const nobody = await call('/v1/providers', { token: 'x' });
    expect([nobody.status, nobody.type]).toEqual([401, 'application/problem+json']);
    expect((nobody.body as { type: string }).type).toBe(`${shop.url}/errors#unauthorized`);
    const malformed = await call('/v1/connect-sessions', { method: 'POST', headers: json, body: '{' });
    expect([malformed.status, malformed.type]).toEqual([400, 'application/problem+json']);
    const compressed = await call('/v1/connect-sessions', { method: 'POST', headers: { ...json, 'content-encoding': 'gzip' }, body: '{}' });
    expect(compressed.status).toBe(415);
    const much = await call('/v1/connect-sessions', { method: 'POST', headers: json, body: `"${'a'.repeat(1024 * 1024)}"` });
    expect([much.status, (much.body as { code: string }).code]).toEqual([413, 'payload_too_large']);
    expect((await call('/health/ready')).status).toBe(200);
    expect((await call('/metrics', { token: await shop.tokenFor({ tenant: 'x', user: 'op', role: 'operator' }) })).status).toBe(200);
  });

  it('does not wait for the body of somebody who has no token', async () => {
    const { hostname, port, pathname } = new URL(`${shop.url}/v1/connect-sessions`);
    const head = `POST ${pathname} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500000\r\n\r\n{`;
    const first = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write(head));
      socket.once('data', (bytes) => {
        socket.destroy();
        resolve(bytes.toString());
      });
      socket.once('error', reject);
    });
    expect(first).toMatch(/^HTTP\/1\.1 401/);
    expect(first).toMatch(/connection: close/i);
  });

  it('answers a browser that asks whether pages of another origin may call', async () => {
    const asked = { origin: PAGES, 'access-control-request-method': 'GET' };
    const { status, headers } = await fetch(`${shop.url}/v1/connections`, { method: 'OPTIONS', headers: asked });
    expect([status, headers.get('access-control-allow-origin')]).toEqual([204, PAGES]);
  });

  it('takes webhooks over the bytes as they came, on both ways', async () => {
    const { body, headers } = signedDelivery({
      as: 'slack',
      secret: SIGNING_SECRET,
      body: '{"type":"url_verification", "challenge":"abc"}',
    });
    const send = (init: RequestInit) => call('/webhooks/slack', { method: 'POST', headers, ...init });
    const challenge = { status: 200, body: 'abc' };
    const said = async (answer: ReturnType<typeof send>) => {
      const { status, body: text } = await answer;
      return { status, body: typeof text === 'object' ? (text as { challenge?: string }).challenge : text };
    };
    expect(await said(send({ body: body as never }))).toEqual(challenge);
    // Without a stated length it is no plain delivery, and goes through the framework.
    const stream = new ReadableStream({
      start: (controller) => {
        controller.enqueue(body);
        controller.close();
      },
    });
    expect(await said(send({ body: stream, duplex: 'half' } as never))).toEqual(challenge);
    expect((await send({ body: `${body.toString()} ` })).status).toBe(401);
  });

  it('connects an account, answers for it, streams what becomes of it, and runs operations and the proxy', async () => {
    const returnTo = `${shop.origin}/shop`;
    const { body: session } = await call('/v1/connect-sessions', {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ provider: 'slack', returnTo }),
    });
    const { connectUrl } = session as { connectUrl: string };
    expect(connectUrl.startsWith(`${shop.url}/connect/slack?`)).toBe(true);
    const browser = new Browser();
    const consent = new URL((await browser.pressConnect(connectUrl)).location ?? '');
    expect(consent.searchParams.get('redirect_uri')).toBe(`${shop.url}/auth/slack/callback`);
    const back = await browser.get((await browser.get(consent.href)).location ?? '');
    const landed = new URL(back.location ?? '');
    expect(landed.origin + landed.pathname).toBe(returnTo);
    const connection = landed.searchParams.get('connection') ?? '';

    const left = new AbortController();
    const events = await fetch(`${shop.url}/v1/connections/${connection}/events`, {
      headers: { authorization: `Bearer ${ada}` },
      signal: left.signal,
    });
    expect(events.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const reader = events.body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toMatch(/^(retry|event|data|id|:)/);
    left.abort();

    const { body: listed } = await call(`/v1/connections/${connection}/slack/channels`);
    const channels = listed as { data: { id: string }[] };
    const sent = await call(`/v1/connections/${connection}/slack/messages`, {
      method: 'POST',
      headers: { ...json, 'idempotency-key': 'k1' },
      body: JSON.stringify({ channel: channels.data[0]!.id, text: 'hello' }),
    });
    expect(sent.status).toBe(201);
    const proxied = await call(`/v1/connections/${connection}/proxy/auth.test`, { method: 'POST' });
    expect(proxied.status).toBe(200);
    expect(proxied.headers.get('x-request-id')).not.toBeNull();
    expect((await call(`/v1/connections/${connection}/proxy/auth.test`, { method: 'POST', token: 'x' })).status).toBe(401);
  });

  it('has pages of which every link, form and file leads to an address of its own', async () => {
    const { body } = await call('/v1/browser-sessions', { method: 'POST', token: root, headers: json, body: '{"returnTo":"/admin"}' });
    const browser = new Browser();
    const entered = await browser.get((body as { url: string }).url);
    expect(entered).toMatchObject({ status: 303, location: `${shop.url}/admin` });
    const seen = new Set<string>();
    const faults: string[] = [];
    for (const start of [`${shop.url}/admin`, `${shop.url}/settings/integrations`]) {
      const page = String((await browser.get(start)).body);
      for (const [, attribute, address = ''] of page.matchAll(/\b(href|src|action|formaction)="([^"#][^"]*)"/g)) {
        const { href, origin } = new URL(address.replaceAll('&#38;', '&'), start);
        if (origin !== new URL(shop.url).origin || seen.has(href)) continue;
        seen.add(href);
        const isForm = attribute === 'action' || attribute === 'formaction';
        const { status } = isForm && !href.includes('/admin/search') ? await browser.postForm(href, {}) : await browser.get(href);
        // A form without its token is refused, by the route that it leads to.
        if (!href.startsWith(`${shop.url}/`) || ![200, 403].includes(status)) faults.push(`${attribute} ${href}: ${status}`);
      }
    }
    expect(faults).toEqual([]);
    expect(seen.size).toBeGreaterThan(15);
    const live = await browser.get(`${shop.url}/live/nothing`);
    expect([live.status, live.headers.get('x-request-id') !== null]).toEqual([400, true]);
  });

  it('describes its own routes, and no other, as they are below its address', async () => {
    const { body } = await call('/docs-json');
    const { paths, servers } = body as { paths: Record<string, unknown>; servers: { url: string }[] };
    expect(servers).toEqual([{ url: new URL(shop.url).pathname }]);
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/v1/connections/{id}', '/webhooks/{provider}']));
    expect(Object.keys(paths).filter((path) => path.includes('shop'))).toEqual([]);
    for (const page of ['/docs', '/docs/operations/connectionsList']) {
      const links = [...String((await call(page)).body).matchAll(/(?:src|href)="([^"#][^"]*)"/g)].slice(0, 10);
      expect(links.length).toBeGreaterThan(1);
      for (const [, link = ''] of links) expect([link, (await fetch(new URL(link, shop.url + page))).status]).toEqual([link, 200]);
    }
  });

  it('finishes what is under way when the application ends', async () => {
    const { port } = new URL(shop.origin);
    await shop.close();
    const again = await fetch(`http://127.0.0.1:${port}/shop`, { signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => 'closed');
    expect(again).toBe('closed');
    shop = undefined as never;
  });
});

describe('an application that moves routes by itself', () => {
  it('is told so at its start', async () => {
    const before: HostAppOptions['before'] = (app) => void app.setGlobalPrefix('api');
    await expect(startHostApp({ host: 'Express', before })).rejects.toThrow(/there is no \/health\/live.*global prefix.*exclude/);
  });

  it('keeps its prefix to itself', async () => {
    const before: HostAppOptions['before'] = (app) => void app.setGlobalPrefix('api', { exclude: ['integrations/{*path}'] });
    const shop = await startHostApp({ host: 'Express', prefix: 'integrations', before });
    try {
      expect((await fetch(`${shop.url}/health/live`)).status).toBe(200);
      expect((await fetch(`${shop.origin}/api/shop`)).status).toBe(200);
    } finally {
      await shop.close();
    }
  });
});

describe('the service by itself, in a process where an application has Trestle', () => {
  it('takes the token of a form once', async () => {
    const shop = await startHostApp({ host: 'Fastify' });
    const pages = await startPages();
    try {
      const ada = await pages.signIn({ tenant: 'acme', user: 'ada' });
      expect((await ada.post('/settings/integrations/slack/connect')).status).toBe(200);
    } finally {
      await pages.close();
      await shop.close();
    }
  });
});

describe('the service by itself, with a path in its public address', () => {
  it('is reached below the path and without it, and leads to addresses below it', async () => {
    const service = await startTestApp({ settings: { PUBLIC_URL: 'http://127.0.0.1:1/our/integrations' } });
    try {
      const ada = {
        authorization: `Bearer ${await service.tokenFor({ tenant: 'acme', user: 'ada' })}`,
        'content-type': 'application/json',
      };
      for (const base of [service.url, `${service.url}/our/integrations`]) {
        expect((await fetch(`${base}/health/live`)).status).toBe(200);
        const session = await fetch(`${base}/v1/browser-sessions`, {
          method: 'POST',
          headers: ada,
          body: '{"returnTo":"/our/integrations/settings/integrations"}',
        });
        const { url } = (await session.json()) as { url: string };
        expect(url).toMatch(/^http:\/\/127\.0\.0\.1:1\/our\/integrations\/session\?code=/);
        const entered = await fetch(`${service.url}${new URL(url).pathname}${new URL(url).search}`, { redirect: 'manual' });
        expect(entered.headers.get('location')).toBe('/our/integrations/settings/integrations');
        const cookie = entered.headers
          .getSetCookie()
          .map((line) => line.split(';')[0])
          .join('; ');
        const page = await (await fetch(`${base}/settings/integrations`, { headers: { cookie } })).text();
        expect(page).toContain('href="/our/integrations/ui/trestle.css"');
        expect(page).not.toMatch(/(href|src|action)="\/(?!our\/integrations\/)/);
      }
    } finally {
      await service.close();
    }
  });
});
