import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { PLAIN_PROVIDERS } from '../src/providers';
import { deliverEvent } from '../sandbox/plain/plain-deliveries';
import { PlainSandbox } from '../sandbox/plain/plain-sandbox';
import { Browser } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

const signed = PLAIN_PROVIDERS.filter(({ webhooks }) => webhooks?.signedByClient);
/** One whose deliveries are signed with a secret that the operator sets. */
const others = PLAIN_PROVIDERS.filter(({ key }) => key === 'linear');
const OPERATORS = 'the-operators-secret';

describe("deliveries of an organization's own client", () => {
  let app: TestApp;
  let sandbox: PlainSandbox;
  let acme: Browser;
  let acmeAdmin: Browser;
  let umbrellaAdmin: Browser;

  beforeAll(async () => {
    sandbox = await PlainSandbox.start([...signed, ...others]);
    const isClient = ([name]: [string, string]) => /_CLIENT_(ID|SECRET)$/.test(name);
    const operators = [...signed, ...others].flatMap(({ key }) => [
      [`${key.toUpperCase()}_CLIENT_ID`, 'the-operators'],
      [`${key.toUpperCase()}_CLIENT_SECRET`, OPERATORS],
    ]);
    const env = Object.fromEntries([...Object.entries(sandbox.env()).filter((entry) => !isClient(entry)), ...operators]) as Record<
      string,
      string
    >;
    app = await startTestApp({ settings: { ...env, REQUESTS_PER_SECOND: '10000', SYNC_INCREMENTAL_EVERY_SECONDS: '86400' } });
    acme = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'ada' }));
    acmeAdmin = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'root', role: 'admin' }));
    umbrellaAdmin = new Browser(app, await app.tokenFor({ tenant: 'umbrella', user: 'root', role: 'admin' }));
  });
  afterAll(async () => {
    await app.close();
    await sandbox.stop();
  });

  /** The address of the organization's own client, set with this secret. */
  async function addressOf(admin: Browser, key: string, clientSecret: string): Promise<string> {
    const { clientId } = sandbox.world(key);
    const path = `/v1/admin/providers/${key}/client`;
    const { body } = await admin.api<{ webhookUrl: string }>('PUT', path, { clientId, clientSecret });
    expect((await admin.api<{ webhookUrl: string }>('GET', path)).body.webhookUrl).toBe(body.webhookUrl);
    return body.webhookUrl.replace(/^https?:\/\/[^/]+/, app.url);
  }

  /** Works with the operator's client at the provider, which knows no other meanwhile. */
  async function asOperators<T>(key: string, work: () => Promise<T>): Promise<T> {
    const world = sandbox.world(key);
    const { clientId, clientSecret } = world;
    Object.assign(world, { clientId: 'the-operators', clientSecret: OPERATORS });
    return work().finally(() => Object.assign(world, { clientId, clientSecret }));
  }
  const fieldsOf = (key: string) =>
    Object.fromEntries(Object.entries(sandbox.world(key).declaration.ask ?? {}).map(([name, { example }]) => [name, example]));
  const connected = async (browser: Browser, key: string) =>
    (await browser.connect(key, {}, { fields: fieldsOf(key) })).searchParams.get('connection') ?? '';

  const rows = (eventId: string) =>
    app.app
      .get(DataSource)
      .query<{ tenant: string | null; connection_id: string | null }[]>(
        'SELECT tenant, connection_id FROM webhook_events WHERE event_id = $1',
        [eventId],
      );
  const deliver = async (key: string, url: string, secret: string) => {
    const type = signed.find((each) => each.key === key)?.webhooks?.records?.[0]?.types[0]?.replace('*', 'changed') ?? 'thing.changed';
    const { byStatus, eventIds } = await deliverEvent(sandbox.world(key), app.url, { type, id: randomUUID(), to: { url, secret } });
    return { status: Number(Object.keys(byStatus)[0]), stored: await rows(eventIds[0] ?? '') };
  };

  it('is tried with several providers', () => {
    expect(signed.map(({ key }) => key)).toEqual(expect.arrayContaining(['jira', 'shopify', 'hubspot']));
  });

  it.each(signed.filter(({ webhooks }) => webhooks?.watchIds === undefined).map(({ key }) => key))(
    'are verified at its own address with its own secret, and concern nobody else: %s',
    async (key) => {
      const { clientSecret } = sandbox.world(key);
      const mine = await addressOf(acmeAdmin, key, clientSecret);
      const theirs = await addressOf(umbrellaAdmin, key, `of-umbrella-${clientSecret}`);
      const shared = `${app.url}/webhooks/${key}`;
      expect((await deliver(key, shared, clientSecret)).status).toBe(401);
      expect((await deliver(key, mine, OPERATORS)).status).toBe(401);
      expect((await deliver(key, theirs, clientSecret)).status).toBe(401);
      expect((await deliver(key, `${shared}/${randomUUID()}`, clientSecret)).status).toBe(404);
      expect((await deliver(key, shared, OPERATORS)).status).toBe(200);
      const taken = await deliver(key, mine, clientSecret);
      expect(taken.status).toBe(200);
      expect(taken.stored.every(({ tenant }) => tenant === 'acme')).toBe(true);
    },
  );

  it('come to connections of its organization, and to no others of the same account', async () => {
    const { clientSecret } = sandbox.world('shopify');
    const mine = await addressOf(acmeAdmin, 'shopify', clientSecret);
    const theirs = await addressOf(umbrellaAdmin, 'shopify', `of-umbrella-${clientSecret}`);
    const connection = await connected(acme, 'shopify');
    expect((await deliver('shopify', mine, clientSecret)).stored).toEqual([{ tenant: 'acme', connection_id: connection }]);
    const foreign = await deliver('shopify', theirs, `of-umbrella-${clientSecret}`);
    expect(foreign.status).toBe(200);
    expect(foreign.stored.filter(({ connection_id: id }) => id !== null)).toEqual([]);
  });

  it("come to connections of the client that verified them, whether it is an organization's or the operator's", async () => {
    const { clientSecret } = sandbox.world('hubspot');
    const shared = `${app.url}/webhooks/hubspot`;
    const earlier = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'bob' }));
    const elsewhere = new Browser(app, await app.tokenFor({ tenant: 'initech', user: 'ida' }));
    await acmeAdmin.api('DELETE', '/v1/admin/providers/hubspot/client');
    const [ofBob, ofIda] = await asOperators('hubspot', async () => [
      await connected(earlier, 'hubspot'),
      await connected(elsewhere, 'hubspot'),
    ]);
    const mine = await addressOf(acmeAdmin, 'hubspot', clientSecret);
    const ofAda = await connected(acme, 'hubspot');
    const receivers = async (url: string, secret: string) =>
      (await deliver('hubspot', url, secret)).stored.map(({ connection_id: id }) => id).sort();
    expect(await receivers(shared, OPERATORS)).toEqual([ofBob, ofIda].sort());
    expect(await receivers(mine, clientSecret)).toEqual([ofAda]);
    // What replaces a client has an address of its own; what was connected with the one before stays with that one's.
    await acmeAdmin.api('PUT', '/v1/admin/providers/hubspot/client', { clientId: 'next', clientSecret: 'of-the-next' });
    const next = (await acmeAdmin.api<{ webhookUrl: string }>('GET', '/v1/admin/providers/hubspot/client')).body.webhookUrl;
    expect(await receivers(next.replace(/^https?:\/\/[^/]+/, app.url), 'of-the-next')).toEqual([null]);
    expect(await receivers(mine, clientSecret)).toEqual([ofAda]);
  });

  it("that are verified with a secret of the operator's, where a client's signs none, come to connections of the operator's client", async () => {
    const world = sandbox.world('linear');
    const elsewhere = new Browser(app, await app.tokenFor({ tenant: 'initech', user: 'ida' }));
    const ofIda = await asOperators('linear', () => connected(elsewhere, 'linear'));
    const { clientId, clientSecret } = world;
    await acmeAdmin.api('PUT', '/v1/admin/providers/linear/client', { clientId, clientSecret });
    expect(await connected(acme, 'linear')).not.toBe('');
    const { stored } = await deliver('linear', `${app.url}/webhooks/linear`, world.webhookSecret);
    expect(stored).toEqual([{ tenant: 'initech', connection_id: ofIda }]);
  });

  it('are asked for at its own address: Jira’s watches', async () => {
    const { clientSecret } = sandbox.world('jira');
    const mine = await addressOf(acmeAdmin, 'jira', clientSecret);
    const connection = (await acme.connect('jira')).searchParams.get('connection') ?? '';
    await acme.synced(connection, ({ trigger }) => trigger === 'connect');
    const watch = await sandbox.world('jira').watchOf('issues');
    expect(new URL(watch.address).pathname).toBe(new URL(mine).pathname);
    const { byStatus, eventIds } = await deliverEvent(sandbox.world('jira'), app.url, { type: 'jira:issue_updated' });
    expect(byStatus).toEqual({ 200: 1 });
    expect(await rows(eventIds[0] ?? '')).toEqual([{ tenant: 'acme', connection_id: expect.any(String) as string }]);
    const forged = await deliverEvent(sandbox.world('jira'), app.url, {
      type: 'jira:issue_updated',
      to: { url: watch.address, secret: OPERATORS },
    });
    expect(forged.byStatus).toEqual({ 401: 1 });
    // Ids of watches are a client's own: the operator's may have one of the same number.
    const ofTheOperators = await deliverEvent(sandbox.world('jira'), app.url, {
      type: 'jira:issue_updated',
      to: { url: `${app.url}/webhooks/jira`, secret: OPERATORS },
    });
    expect(ofTheOperators.byStatus).toEqual({ 200: 1 });
    expect((await rows(ofTheOperators.eventIds[0] ?? '')).filter(({ connection_id: id }) => id !== null)).toEqual([]);
  });
});
