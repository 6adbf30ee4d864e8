import { createHmac, randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
  ConnectionRepository,
  GovernedHttp,
  ProviderRegistry,
  toRef,
  type PlainOperation,
  type PlainProvider,
  type SyncResource,
} from '../../src/integrations';
import { PLAIN_PROVIDERS } from '../../src/providers';
import { itemOf, itemsOf } from '../../sandbox/plain/plain-lists';
import { PlainSandbox } from '../../sandbox/plain/plain-sandbox';
import { exampleOfSchema } from '../../sandbox/plain/schema-example';
import { Browser } from './browser';
import { walked } from './provider-fixture';
import { startTestApp, type TestApp } from './test-app';

type Fields = Record<string, unknown>;

/** The service before pretend providers that are derived from declarations, and what is asked of every provider there. */
export class PlainTrial {
  private readonly connections = new Map<string, string>();

  private constructor(
    readonly app: TestApp,
    readonly sandbox: PlainSandbox,
    readonly browser: Browser,
  ) {}

  /** @param truth what the pretend providers do, whatever the service has been told of them */
  static async start(truth: readonly PlainProvider[] = PLAIN_PROVIDERS): Promise<PlainTrial> {
    const sandbox = await PlainSandbox.start(truth);
    const app = await startTestApp({ settings: { ...sandbox.env(), REQUESTS_PER_SECOND: '10000' } });
    return new PlainTrial(app, sandbox, new Browser(app, await app.tokenFor({ tenant: 'acme', user: 'ada' })));
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.sandbox.stop();
  }

  /** Connected once. @returns the connection's id */
  async connected({ key, ask = {}, oauth2 }: PlainProvider): Promise<string> {
    const fields = Object.fromEntries(Object.entries(ask).map(([name, { example }]) => [name, example]));
    let id = this.connections.get(key);
    if (id === undefined && oauth2) id = (await this.browser.connect(key, {}, { fields })).searchParams.get('connection') ?? '';
    if (id === undefined) {
      const given = { provider: key, apiKey: this.sandbox.world(key).key, fields };
      id = (await this.browser.api<{ id: string }>('POST', '/v1/connections', given)).body.id;
    }
    this.connections.set(key, id);
    return id;
  }

  async run(declaration: PlainProvider, name: string, input: unknown, key: string = randomUUID()) {
    const path = `/v1/connections/${await this.connected(declaration)}/operations/${name}`;
    return this.browser.api<Fields>('POST', path, input, { headers: { 'idempotency-key': key } });
  }

  /** Cut off before its answer, it is repeated only where the provider honours the key, so it has happened once. */
  async expectOnce(declaration: PlainProvider, operation: PlainOperation): Promise<void> {
    const { made } = this.sandbox.world(declaration.key);
    const before = made.length;
    const key = randomUUID();
    this.sandbox.cutNext(declaration.key);
    const first = await this.run(declaration, operation.name, inputOf(operation), key);
    const again = await this.run(declaration, operation.name, inputOf(operation), key);
    expect(made).toHaveLength(before + 1);
    if (operation.repeat === undefined || operation.repeat === 'none') {
      expect([first.body['code'], again.body['code']]).toEqual(['outcome_unknown', 'outcome_unknown']);
    } else {
      expect(first.status).toBeGreaterThanOrEqual(500);
      expect(again).toMatchObject({ status: operation.makes ? 201 : 200 });
    }
  }

  /** A full walk, and a second one that is given what changed since and nothing else. */
  async expectOnlyChanges(declaration: PlainProvider, name: string): Promise<void> {
    const found = await this.app.app.get(ConnectionRepository, { strict: false }).findById(await this.connected(declaration));
    const connection = toRef(found!);
    const fetch = this.app.app.get(GovernedHttp, { strict: false }).fetchFor(connection, { operation: 'sync' });
    const base = { connection, fetch, partition: '', checkpoint: undefined, now: () => Date.now() };
    const provider = this.app.app.get(ProviderRegistry, { strict: false }).get(declaration.key);
    const resource = provider.sync?.resources.find((each) => each.name === name) as SyncResource;
    const facts = this.sandbox.world(declaration.key).declaration.resources?.find((each) => each.name === name);
    const { signal } = new AbortController();
    const all = await walked(resource.full({ ...base, signal }));
    itemsOf(this.sandbox.world(declaration.key), facts!).push(itemOf(facts!, 'changed', Date.now()));
    const changed = await walked(resource.incremental!({ ...base, signal, cursor: all.cursor }));
    expect([...changed.records.keys()]).toEqual(['changed']);
  }

  /** An issue that an event carries is a record, and one that it says is gone is none. For the one that signs so. */
  async expectEventsKept(github: PlainProvider): Promise<void> {
    const id = await this.connected(github);
    await this.browser.synced(id, ({ trigger }) => trigger === 'connect');
    const has = async () => (await this.browser.records(id, 'issues')).ids.includes('issue-9');
    await this.deliver('opened', '2026-11-01T10:00:00Z');
    await this.browser.eventually(async () => (await has()) || undefined);
    await this.deliver('deleted', '2026-11-01T11:00:00Z');
    await this.browser.eventually(async () => !(await has()) || undefined);
  }

  private async deliver(action: string, at: string): Promise<void> {
    const issue = { id: 'issue-9', title: 'New', updated_at: at };
    const body = JSON.stringify({ action, issue, repository: { id: 1, owner: { id: 'acct-1' } } });
    const signature = createHmac('sha256', 'github-webhook-secret').update(body).digest('hex');
    const about = { 'x-github-event': 'issues', 'x-github-delivery': randomUUID(), 'x-hub-signature-256': `sha256=${signature}` };
    const headers = { 'content-type': 'application/json', ...about };
    expect((await fetch(`${this.app.url}/webhooks/github`, { method: 'POST', body, headers })).status).toBe(200);
  }
}

/** What an operation takes, with its optional fields. */
export function inputOf({ input }: PlainOperation): Fields {
  return exampleOfSchema(z.toJSONSchema(input) as Parameters<typeof exampleOfSchema>[0]) as Fields;
}
