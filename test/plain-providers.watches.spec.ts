import { DataSource } from 'typeorm';
import { WatchService, type PlainProvider } from '../src/integrations';
import { PLAIN_PROVIDERS } from '../src/providers';
import { deliverEvent } from '../sandbox/plain/plain-deliveries';
import type { PlainWatchHere } from '../sandbox/plain/plain-world';
import { PlainSandbox } from '../sandbox/plain/plain-sandbox';
import { Browser } from './support/browser';
import { startTestApp, type TestApp } from './support/test-app';

const named = (key: string) => PLAIN_PROVIDERS.find((each) => each.key === key) as PlainProvider;

describe('subscriptions with renewal', () => {
  let app: TestApp;
  let sandbox: PlainSandbox;
  let browser: Browser;
  beforeAll(async () => {
    sandbox = await PlainSandbox.start([named('microsoft'), named('jira')]);
    app = await startTestApp({ settings: { ...sandbox.env(), REQUESTS_PER_SECOND: '10000' } });
    browser = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'ada' }));
  });
  afterAll(async () => {
    await app.close();
    await sandbox.stop();
  });

  const of = (key: string) => sandbox.world(key);
  const connected = async (key: string, as = browser) => {
    const id = (await as.connect(key)).searchParams.get('connection') ?? '';
    await as.synced(id, ({ trigger }) => trigger === 'connect');
    return id;
  };
  const query = <T>(sql: string, values: unknown[]) => app.app.get(DataSource).query<T[]>(sql, values);
  const rowOf = async ({ channel }: PlainWatchHere) =>
    (await query<{ expires_at: Date }>(`SELECT expires_at FROM sync_watches WHERE channel_id = $1`, [channel]))[0];
  const eventsOf = async (type: string) =>
    (await browser.asAdmin<{ data: { connectionId: string }[] }>('GET', `/v1/admin/webhook-events?type=${encodeURIComponent(type)}`)).body
      .data;
  const post = (url: string, body: unknown) =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const renewed = () => app.app.get(WatchService, { strict: false }).renewExpiring(new AbortController().signal);
  const notice = (watch: PlainWatchHere, more: object) => ({
    subscriptionId: watch.id,
    clientState: `${watch.channel}.${watch.token}`,
    ...more,
  });

  it('answer who asks whether the address is ours with its own words, as text', async () => {
    const answer = await fetch(`${app.url}/webhooks/microsoft?validationToken=${encodeURIComponent('Validation: <b>1</b>')}`, {
      method: 'POST',
    });
    expect([answer.status, await answer.text()]).toEqual([200, 'Validation: <b>1</b>']);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('are renewed at once where the provider asks for it, and go on as the same', async () => {
    await connected('microsoft');
    const watch = await of('microsoft').watchOf('messages');
    const before = watch.expires;
    expect((await post(watch.address, { value: [notice(watch, { lifecycleEvent: 'reauthorizationRequired' })] })).status).toBe(200);
    await browser.eventually(async () => ((await rowOf(watch))!.expires_at.getTime() <= Date.now() ? true : undefined));
    expect(await renewed()).toBe(1);
    expect(of('microsoft').watches.get(watch.id)?.expires).not.toBe(before);
    expect((await rowOf(watch))!.expires_at.getTime()).toBeGreaterThan(Date.now() + 69 * 3_600_000);
  });

  it('are made anew where the provider removed one, or does not know it when it is to be renewed', async () => {
    await connected('microsoft');
    const watch = await of('microsoft').watchOf('events');
    of('microsoft').watches.delete(watch.id);
    expect((await post(watch.address, { value: [notice(watch, { lifecycleEvent: 'subscriptionRemoved' })] })).status).toBe(200);
    const next = await of('microsoft').watchOf('events');
    expect(next.channel).not.toBe(watch.channel);
    // Its row is there before the provider is asked, and active when that has answered.
    await browser.eventually(async () => ((await rowOf(next))?.expires_at ? true : undefined));
    expect(await rowOf(watch)).toBeUndefined();

    of('microsoft').watches.delete(next.id);
    sandbox.answerNext('microsoft', { status: 404, body: { error: { code: 'ResourceNotFound' } } });
    await query(`UPDATE sync_watches SET expires_at = now() WHERE channel_id = $1`, [next.channel]);
    expect(await renewed()).toBe(1);
    expect((await of('microsoft').watchOf('events')).channel).not.toBe(next.channel);
  });

  it('have a run look for what the provider could not tell', async () => {
    const id = await connected('microsoft');
    const watch = await of('microsoft').watchOf('contacts');
    expect((await post(watch.address, { value: [notice(watch, { lifecycleEvent: 'missed' })] })).status).toBe(200);
    await browser.synced(id, ({ trigger }) => trigger === 'webhook');
  });

  it('are each known by a token of their own: others in a delivery are left out, and nobody reads it', async () => {
    const mine = await connected('microsoft');
    const watch = await of('microsoft').watchOf('messages');
    const bob = new Browser(app, await app.tokenFor({ tenant: 'other', user: 'bob' }));
    const his = await connected('microsoft', bob);
    const other = await browser.eventually(async () => {
      const [row] = await query<{ remote_id: string }>(
        `SELECT remote_id FROM sync_watches WHERE connection_id = $1 AND resource = 'messages' AND status = 'active'`,
        [his],
      );
      return row && of('microsoft').watches.get(row.remote_id);
    });
    const told = (from: PlainWatchHere, id: string) => notice(from, { changeType: 'deleted', resourceData: { id } });
    const forged = { ...told(other, 'forged'), clientState: `${other.channel}.${watch.token}` };
    expect((await post(watch.address, { value: [forged] })).status).toBe(401);
    const value = [told(watch, 'one'), forged, told(other, 'two'), told(watch, 'three')];
    expect((await post(watch.address, { value })).status).toBe(200);
    const events = await browser.eventually(async () => {
      const found = await eventsOf('messages.deleted');
      return found.length === 2 ? found : undefined;
    });
    expect(new Set(events.map(({ connectionId }) => connectionId))).toEqual(new Set([mine]));
    const stored = await query<{ body: Buffer }>(
      `SELECT p.body FROM webhook_payloads p JOIN webhook_events e ON e.payload_id = p.id WHERE e.type = $1`,
      ['messages.deleted'],
    );
    const kept = stored.map(({ body }) => body.toString('utf8')).join();
    expect(kept).toContain('three');
    for (const secret of [watch.token!, other.token!, '"two"', 'forged']) expect(kept).not.toContain(secret);
  });

  it('bring an event to the connections whose watches matched, and to no other of the account', async () => {
    const mine = await connected('jira');
    const bob = new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'bob' }));
    await connected('jira', bob);
    const deliver = (ids: number[]) => {
      const watch = { id: String(ids[0]), resource: 'issues', account: 'acct-1', address: `${app.url}/webhooks/jira`, expires: '' };
      const world = Object.create(of('jira')) as ReturnType<typeof of>;
      world.watchOf = () => Promise.resolve(watch);
      return deliverEvent(world, app.url, { type: 'jira:issue_updated' });
    };
    const [row] = await browser.eventually(async () => {
      const found = await query<{ remote_id: string }>(
        `SELECT remote_id FROM sync_watches WHERE connection_id = $1 AND status = 'active'`,
        [mine],
      );
      return found.length > 0 ? found : undefined;
    });
    expect((await deliver([Number(row!.remote_id)])).byStatus).toEqual({ 200: 1 });
    expect((await deliver([999_999])).byStatus).toEqual({ 200: 1 });
    await browser.synced(mine, ({ trigger }) => trigger === 'webhook');
    expect((await eventsOf('jira:issue_updated')).map(({ connectionId }) => connectionId)).toEqual([mine]);
  });
});
