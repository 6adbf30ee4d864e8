import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DataSource } from 'typeorm';
import { PLAIN_PROVIDERS } from '../src/providers';
import type { PlainProvider } from '../src/integrations';
import { deliverEvent } from '../sandbox/plain/plain-deliveries';
import { PlainSandbox } from '../sandbox/plain/plain-sandbox';
import { forgeriesOf } from './support/plain-subject';
import { Browser } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

const asked = PLAIN_PROVIDERS.filter(({ webhooks }) => webhooks?.scheme.kind === 'call');

describe.each(asked.map((each) => [each.key, each] as const))(
  'deliveries of %s, which only the provider can verify',
  (key, declaration) => {
    let app: TestApp;
    let sandbox: PlainSandbox;
    let browser: Browser;
    beforeAll(async () => {
      sandbox = await PlainSandbox.start(PLAIN_PROVIDERS);
      app = await startTestApp({ settings: { ...sandbox.env(), REQUESTS_PER_SECOND: '10000' } });
      browser = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'ada' }));
    });
    afterAll(async () => {
      await app.close();
      await sandbox.stop();
    });

    const stored = async () => {
      const [row] = await app.app
        .get(DataSource)
        .query<{ n: string }[]>('SELECT count(*) AS n FROM webhook_events WHERE provider = $1', [key]);
      return Number(row?.n);
    };
    const deliver = (options: Partial<Parameters<typeof deliverEvent>[2]> = {}) =>
      deliverEvent(sandbox.world(key), app.url, { type: 'THING.CHANGED', ...options });
    const questions = () => sandbox.requests.filter(({ provider, path }) => provider === key && path === schemeOf(declaration).path).length;

    it('are taken when it says that they are its own, and the call stands in the log', async () => {
      const before = await stored();
      expect((await deliver()).byStatus).toEqual({ 200: 1 });
      expect(await stored()).toBe(before + 1);
      const logged = await browser.eventually(async () => {
        const { body } = await browser.api<{ data: object[] }>('GET', '/v1/admin/requests?operation=webhooks.verify', undefined, {
          token: await app.tokenFor({ tenant: 'us', user: 'root', role: 'operator' }),
        });
        return body.data.length > 0 ? body.data : undefined;
      });
      expect(logged[0]).toMatchObject({ provider: key, method: 'POST', status: 200, connectionId: null });
    });

    it.each(forgeriesOf(declaration.webhooks!.scheme))('are refused with %s, and nothing is stored', async (forge) => {
      const before = await stored();
      expect((await deliver({ forge })).byStatus).toEqual({ 401: 1 });
      expect(await stored()).toBe(before);
    });

    it('are refused without a question where headers, time or the host of the key tell', async () => {
      const { header, timestamp, keyAddress } = schemeOf(declaration);
      const good = await signedHeaders();
      const before = questions();
      for (const wrong of [
        { [header]: undefined },
        { [header]: 'two words' },
        { [timestamp]: 'yesterday' },
        { [timestamp]: new Date(Date.now() + 600_000).toISOString() },
        ...(keyAddress
          ? ['https://evil.example/', 'https://api.paypal.com.evil.example/', 'http://api.paypal.com/', 'https://u@api.paypal.com/'].map(
              (each) => ({
                [keyAddress.header]: each,
              }),
            )
          : []),
      ])
        expect([wrong, await post({ ...good.headers, ...wrong }, good.body)]).toEqual([wrong, 401]);
      expect(await post(good.headers, `${good.body},"x":{}`)).toBe(401);
      expect(questions()).toBe(before);
    });

    it('come again when it cannot be asked: 503, and nothing is stored', async () => {
      const before = await stored();
      for (const reply of [
        { status: 500 },
        { status: 400, body: { name: 'VALIDATION_ERROR' } },
        { status: 200, body: 'SUCCESS' },
        { status: 401 },
      ]) {
        sandbox.answerAll(key, reply);
        const { byStatus } = await deliver();
        sandbox.answerAll(key);
        expect([reply, byStatus]).toEqual([reply, { 503: 1 }]);
      }
      expect(await stored()).toBe(before);
      expect((await deliver()).byStatus).toEqual({ 200: 1 });
    });

    it('are sent away to come again where too many are asked about already', async () => {
      let release = () => {};
      const until = new Promise<void>((resolve) => (release = resolve));
      const before = questions();
      sandbox.answerAll(key, { status: 200, body: { verification_status: 'FAILURE' }, until });
      const answers = Array.from({ length: 20 }, () => deliver());
      const sentAway: object[] = [];
      await new Promise<void>((resolve) => {
        for (const answer of answers)
          void answer.then(({ byStatus }) => {
            sentAway.push(byStatus);
            if (sentAway.length === 12) resolve();
          });
      });
      expect(sentAway).toEqual(Array.from({ length: 12 }, () => ({ 503: 1 })));
      release();
      const all = await Promise.all(answers);
      sandbox.answerAll(key);
      expect(all.filter(({ byStatus }) => byStatus['401'] === 1)).toHaveLength(8);
      expect(questions()).toBe(before + 8);
    });

    it('are asked about at one connection’s own address with its own token and webhook', async () => {
      const fields = { clientId: 'your-client-id', clientSecret: 'your-client-secret' };
      const { body: connection } = await browser.api<{ id: string }>('POST', '/v1/connections', { provider: key, fields });
      const path = `/v1/connections/${connection.id}/webhook-address`;
      const { body: address } = await browser.api<{ url: string }>('PUT', path, { secret: 'WEBHOOK-OF-ITS-OWN' });
      const to = { url: address.url.replace(/^https?:\/\/[^/]+/, app.url), secret: 'WEBHOOK-OF-ITS-OWN' };
      const { byStatus, eventIds } = await deliver({ to });
      expect(byStatus).toEqual({ 200: 1 });
      const rows = await app.app
        .get(DataSource)
        .query<{ connection_id: string }[]>('SELECT connection_id FROM webhook_events WHERE event_id = $1', [eventIds[0]]);
      expect(rows).toEqual([{ connection_id: connection.id }]);
      expect((await deliver({ to: { ...to, secret: 'ANOTHERS' } })).byStatus).toEqual({ 401: 1 });
    });

    async function signedHeaders(): Promise<{ headers: Record<string, string>; body: string }> {
      const seen: { headers: Record<string, string>; body: string }[] = [];
      const server = createServer((request: IncomingMessage, response: ServerResponse) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          const kept = Object.entries(request.headers).filter(([name]) => name.startsWith('paypal-') || name === 'content-type');
          seen.push({ headers: Object.fromEntries(kept) as Record<string, string>, body: Buffer.concat(chunks).toString() });
          response.end();
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      await deliver({
        to: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, secret: sandbox.world(key).webhookSecret },
      });
      await new Promise((resolve) => server.close(resolve));
      return seen[0]!;
    }

    async function post(headers: Record<string, string | undefined>, body: string): Promise<number> {
      const given = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
      return (await fetch(`${app.url}/webhooks/${key}`, { method: 'POST', headers: Object.fromEntries(given), body })).status;
    }
  },
);

function schemeOf({ webhooks }: PlainProvider) {
  const { scheme } = webhooks!;
  if (scheme.kind !== 'call') throw new Error('another scheme');
  return scheme;
}
