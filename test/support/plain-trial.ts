import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
  ConnectionRepository,
  GovernedHttp,
  ProviderRegistry,
  toRef,
  type PlainOperation,
  type PlainProvider,
  type PlainResource,
  type SyncResource,
} from '../../src/integrations';
import { PLAIN_PROVIDERS } from '../../src/providers';
import { deliverEvent } from '../../sandbox/plain/plain-deliveries';
import { concreteType } from '../../sandbox/plain/plain-events';
import { itemOf, itemsOf } from '../../sandbox/plain/plain-lists';
import { PlainSandbox } from '../../sandbox/plain/plain-sandbox';
import { at, firstOf } from '../../sandbox/plain/pointed';
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
    if (operation.idempotent) return expect(again.status).toBeLessThan(300);
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

  /** Every kind of event does what is so of it: the record that it carries is kept or taken away, or a run is asked for. */
  async expectEventsKept(declaration: PlainProvider): Promise<void> {
    const { key } = declaration;
    const id = await this.connected(declaration);
    await this.browser.synced(id, ({ trigger }) => trigger === 'connect');
    const world = this.sandbox.world(key);
    let time = Date.now();
    for (const by of world.declaration.webhooks?.records ?? []) {
      const resource = world.declaration.resources!.find(({ name }) => name === by.resource)!;
      // An event that carries its object may be the first that is heard of it; another one is of what a run has found.
      const recordId = by.at === undefined ? idOf(resource, itemsOf(world, resource)[0]) : `${by.resource}-9`;
      const kept = async () => (await this.browser.records(id, by.resource)).ids.includes(recordId);
      const deliver = async (type: string) => {
        const { byStatus, eventIds } = await deliverEvent(world, this.app.url, { type, at: (time += 1000), record: { id: recordId, by } });
        expect(byStatus).toEqual({ 200: 1 });
        await this.workedOff(key, eventIds[0]!);
      };
      const [type] = by.types.filter((each) => !by.gone?.includes(each));
      const runs = await this.runsAsked(id);
      if (type !== undefined) await deliver(concreteType(type));
      if (type !== undefined && by.at === undefined) expect(await this.runsAsked(id)).toBeGreaterThan(runs);
      if (type !== undefined && by.at !== undefined) expect([type, await kept()]).toEqual([type, true]);
      const [gone] = by.gone ?? [];
      if (gone === undefined) continue;
      await deliver(gone);
      expect([gone, await kept()]).toEqual([gone, false]);
    }
  }

  /** What an event that comes late carries does not overwrite what is newer. */
  async expectNewestKept(declaration: PlainProvider): Promise<void> {
    const { key } = declaration;
    const id = await this.connected(declaration);
    await this.browser.synced(id, ({ trigger }) => trigger === 'connect');
    const world = this.sandbox.world(key);
    for (const by of world.declaration.webhooks?.records ?? []) {
      const type = by.types.find((each) => !by.gone?.includes(each));
      if (by.at === undefined || type === undefined) continue;
      const [older, newer] = [Date.parse('2026-11-01T10:00:00Z'), Date.parse('2026-11-01T10:00:05Z')];
      for (const at of [newer, older]) {
        const record = { id: `${by.resource}-late`, by };
        const { eventIds } = await deliverEvent(world, this.app.url, { type: concreteType(type), at, record });
        await this.workedOff(key, eventIds[0]!);
      }
      const { changes } = await this.browser.records(id, by.resource);
      const held = changes.filter((each) => each.id === `${by.resource}-late`).at(-1)?.data as Fields;
      expect([by.resource, held['changed-at']]).toEqual([by.resource, newer]);
    }
  }

  /** What an event does is done by then: both are one transaction. */
  private async workedOff(provider: string, eventId: string): Promise<void> {
    const path = `/v1/admin/webhook-events?provider=${provider}&eventId=${encodeURIComponent(eventId)}`;
    await this.browser.eventually(async () => {
      const { body } = await this.browser.asAdmin<{ data: { status: string }[] }>('GET', path);
      return (body.data.length > 0 && body.data.every(({ status }) => status === 'completed')) || undefined;
    });
  }

  /** How many runs were asked for by events, once none is on its way any more: what is asked meanwhile becomes one. */
  private async runsAsked(connectionId: string): Promise<number> {
    return this.browser.eventually(async () => {
      const { body } = await this.browser.api<{ data: { trigger: string; status: string }[] }>(
        'GET',
        `/v1/connections/${connectionId}/syncs`,
      );
      if (body.data.some(({ status }) => status === 'queued' || status === 'running')) return undefined;
      return body.data.filter(({ trigger }) => trigger === 'webhook').length;
    });
  }
}

/** A record's id, by the declaration. */
export const idOf = ({ id = '/id' }: PlainResource, item: unknown): string => String(at(item, firstOf(id) ?? '/id') ?? '');

/** What an operation takes, with its optional fields. */
export function inputOf({ input }: PlainOperation): Fields {
  return exampleOfSchema(z.toJSONSchema(input) as Parameters<typeof exampleOfSchema>[0]) as Fields;
}
