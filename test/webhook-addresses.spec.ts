import { PLAIN_PROVIDERS } from '../src/providers';
import { deliverEvent } from '../sandbox/plain/plain-deliveries';
import { itemsOf } from '../sandbox/plain/plain-lists';
import { PlainSandbox } from '../sandbox/plain/plain-sandbox';
import { Browser } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

interface Address {
  readonly url: string;
  readonly secret?: string;
}

/** Zendesk signs with a secret of each account, and names accounts in a way that signing in does not tell. */
describe('a webhook address of one connection', () => {
  let app: TestApp;
  let sandbox: PlainSandbox;
  let ada: Browser;
  let bob: Browser;
  let connection: string;
  const lines: string[] = [];
  beforeAll(async () => {
    sandbox = await PlainSandbox.start(PLAIN_PROVIDERS.filter(({ key }) => key === 'zendesk'));
    app = await startTestApp({
      settings: { ...sandbox.env(), ZENDESK_WEBHOOK_SECRET: '' },
      log: { write: (line: string) => void lines.push(line) },
    });
    ada = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'ada' }));
    bob = new Browser(app, await app.tokenFor({ tenant: 'umbrella', user: 'bob' }));
    connection = await connect(ada);
    await ada.synced(connection, ({ trigger }) => trigger === 'connect');
  });
  afterAll(async () => {
    await app.close();
    await sandbox.stop();
  });

  const connect = async (browser: Browser) =>
    (await browser.connect('zendesk', {}, { fields: { subdomain: 'acme' } })).searchParams.get('connection') ?? '';
  const path = (id: string) => `/v1/connections/${id}/webhook-address`;
  const records = () => sandbox.world('zendesk').declaration.webhooks!.records![0]!;
  const gone = (url: string, secret: string, id: string) =>
    deliverEvent(sandbox.world('zendesk'), app.url, {
      type: records().gone![0]!,
      record: { id, by: records() },
      to: { url, secret },
    });
  const kept = async (id: string) => (await ada.records(connection, 'tickets')).ids.includes(id);

  it('takes what is signed with its secret, for that connection, whatever account the body names', async () => {
    const { status, body } = await ada.api<Address>('PUT', path(connection), {});
    expect([status, body.url.startsWith(`${app.url}/webhooks/zendesk/`)]).toEqual([200, true]);
    const [ticket = ''] = itemsOf(sandbox.world('zendesk'), sandbox.world('zendesk').declaration.resources![0]!).map(({ id }) =>
      String(id),
    );
    expect(await kept(ticket)).toBe(true);
    expect((await gone(body.url, body.secret!, ticket)).byStatus).toEqual({ 200: 1 });
    await ada.eventually(async () => !(await kept(ticket)) || undefined);
  });

  it('takes the provider’s own secret, and refuses every other one', async () => {
    const secret = 'a-secret-of-zendesk';
    const { body } = await ada.api<Address>('PUT', path(connection), { secret });
    expect(body).not.toHaveProperty('secret');
    expect((await gone(body.url, secret, 'tickets-2')).byStatus).toEqual({ 200: 1 });
    expect((await gone(body.url, 'another-secret', 'tickets-3')).byStatus).toEqual({ 401: 1 });
    expect(await kept('tickets-3')).toBe(true);
  });

  it('is nobody else’s: of another organization neither the address nor the connection is there', async () => {
    const other = await connect(bob);
    const { body: own } = await bob.api<Address>('PUT', path(other), {});
    // Bob's own secret and address, and a record of Ada's.
    expect((await gone(own.url, own.secret!, 'tickets-4')).byStatus).toEqual({ 200: 1 });
    await bob.eventually(async () => {
      const { body } = await bob.api<{ data: { status: string }[] }>('GET', `/v1/connections/${other}/records/tickets`);
      return body.data.length > 0 || undefined;
    });
    expect(await kept('tickets-4')).toBe(true);
    for (const [method, body] of [['GET'], ['PUT', {}], ['DELETE']] as const)
      expect((await bob.api(method, path(connection), body)).status).toBe(404);
  });

  it('that was replaced or ended takes nothing any more', async () => {
    const { body: first } = await ada.api<Address>('PUT', path(connection), {});
    const { body: second } = await ada.api<Address>('PUT', path(connection), {});
    expect((await gone(first.url, first.secret!, 'tickets-5')).byStatus).toEqual({ 404: 1 });
    expect((await gone(second.url, second.secret!, 'tickets-5')).byStatus).toEqual({ 200: 1 });
    expect((await ada.api<{ setAt: string }>('GET', path(connection))).body).toEqual({ setAt: expect.stringMatching(/Z$/) as string });
    expect((await ada.api('DELETE', path(connection))).status).toBe(204);
    expect((await gone(second.url, second.secret!, 'tickets-6')).byStatus).toEqual({ 404: 1 });
    expect((await ada.api('GET', path(connection))).status).toBe(404);
  });

  it('writes neither the address nor the secret into the log', async () => {
    const { body } = await ada.api<Address>('PUT', path(connection), {});
    await gone(body.url, body.secret!, 'tickets-7');
    const log = lines.join('');
    for (const secret of [body.secret!, body.url.split('/').at(-1)!]) expect(log).not.toContain(secret);
  });
});
