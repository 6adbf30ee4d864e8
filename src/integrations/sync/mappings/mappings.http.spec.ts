import { Injectable, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { startTestApp, type TestApp } from '../../../../test/support/test-app';
import type { Problem } from '../../../http-api';
import { ConnectionSeals } from '../../connections';
import { ProviderRegistry } from '../../providers/provider-registry';
import { FakeRemote } from '../testing/fake-remote';
import { MappingTeller } from './mapping-teller';
import { MapRecords, type RecordMapper } from './record-mappers';

const remote = new FakeRemote();
const shape = z.object({ n: z.number().max(3) });

@Module({})
class RemoteModule {
  constructor(registry: ProviderRegistry) {
    const key = (name: string) => ({ key: name, name, configured: true, apiBaseUrl: 'https://api.example/' });
    for (const name of ['remote', 'coded', 'shaped'])
      registry.register({
        ...key(name),
        auth: { parseTokenResponse: () => [], identify: () => Promise.resolve({ accountId: 'a', accountName: 'a' }) },
        http: { endpoints: [], limits: {}, defaultLimits: [] },
        sync: { resources: remote.sync().resources.map((each) => ({ ...each, ...(name === 'shaped' && { shape }) })) },
        actions: [],
      });
  }
}

@MapRecords('coded', 'items')
@Injectable()
class CodedMapper implements RecordMapper<{ n: number }> {
  map({ n }: { n: number }, { tenant }: { tenant: string }): unknown {
    if (n === 3) throw new Error('three is not for us');
    return { number: n, of: tenant };
  }
}
@Module({ providers: [CodedMapper] })
class CodedModule {}

interface Item {
  id: string;
  data: unknown;
  deleted: boolean;
  mappingError?: string;
  shapeError?: string;
}
interface Feed {
  data: Item[];
  mapping?: { id: string; version: number };
  nextCursor: string;
}
interface Mapping {
  id: string;
  version: number;
  toldAt: string | null;
  endedAt: string | null;
}

describe('records as an organization wants them', () => {
  let app: TestApp;
  let tokens: { user: string; admin: string; other: string; support: string };
  let id: string;

  beforeAll(async () => {
    app = await startTestApp({ imports: [RemoteModule, CodedModule] });
    const token = (tenant: string, role?: 'admin' | 'support') => app.tokenFor({ tenant, user: role ?? 'u1', ...(role && { role }) });
    const [user, admin, other, support] = await Promise.all([
      token('acme'),
      token('acme', 'admin'),
      token('umbrella', 'admin'),
      token('acme', 'support'),
    ]);
    tokens = { user, admin, other, support };
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    remote.lists.clear();
    for (let n = 0; n < 5; n++) remote.list().put(`r${n}`, { n });
    await app.app.get(DataSource).query('DELETE FROM record_mappings');
    id = await connected('remote');
  });

  const connected = async (provider: string, tenant = 'acme') => {
    const made = uuidv7();
    await app.app
      .get(DataSource)
      .query(
        `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status) VALUES ($1, $2, 'u1', $3, $4, 'Account', $4, 'oauth2', 'connected')`,
        [made, tenant, provider, made],
      );
    await app.app.get(ConnectionSeals, { strict: false }).sealUnsealed();
    const started = await ask('POST', `connections/${made}/syncs`, { type: 'full' }, tenant === 'acme' ? tokens.user : tokens.other);
    const { id: run } = (await started.json()) as { id: string };
    for (const deadline = Date.now() + 15_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
      const one = await ask('GET', `connections/${made}/syncs/${run}`, undefined, tenant === 'acme' ? tokens.admin : tokens.other);
      if (((await one.json()) as { status: string }).status === 'succeeded') return made;
      if (Date.now() > deadline) throw new Error('The run did not end.');
    }
  };
  const ask = (method: string, path: string, body?: unknown, token = tokens.admin) =>
    fetch(`${app.url}/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const set = async (expression: string, more: object = {}, token = tokens.admin) =>
    (await (await ask('PUT', 'admin/mappings', { provider: 'remote', resource: 'items', expression, ...more }, token)).json()) as Mapping &
      Problem;
  const feed = async (of = id, query = '') =>
    (await (await ask('GET', `connections/${of}/records/items${query}`, undefined, tokens.user)).json()) as Feed;
  const operator = () => app.tokenFor({ tenant: 'acme', user: 'root', role: 'operator' });
  const tell = () => app.app.get(MappingTeller, { strict: false }).tellAll(new AbortController().signal);
  const dataOf = ({ data }: Feed) => data.map(({ data: each }) => each);

  it("gives readers what the mapping makes, says which, and keeps the provider's object", async () => {
    expect((await feed()).mapping).toBeUndefined();
    const made = await set('{ "double": n * 2 }');
    expect(made).toMatchObject({ version: 1, provider: 'remote', connectionId: null, endedAt: null });
    const mapped = await feed();
    expect(dataOf(mapped)).toEqual([0, 2, 4, 6, 8].map((double) => ({ double })));
    expect(mapped.mapping).toEqual({ id: made.id, version: 1 });
    expect(dataOf(await feed(id, '?raw=true'))).toEqual([0, 1, 2, 3, 4].map((n) => ({ n })));
    const one = await ask('GET', `connections/${id}/records/items/r3`, undefined, tokens.user);
    expect(await one.json()).toMatchObject({ id: 'r3', data: { double: 6 }, mapping: { version: 1 } });
  });

  it('gives readers all records again when another version is set, and when it ends; the provider is not asked', async () => {
    await set('{ "double": n * 2 }');
    await tell();
    const { nextCursor } = await feed();
    const asked = remote.ledger.length;
    const second = await set('{ "triple": n * 3 }');
    expect(second.version).toBe(2);
    expect((await feed(id, `?cursor=${nextCursor}`)).data).toEqual([]);
    await tell();
    const again = await feed(id, `?cursor=${nextCursor}`);
    expect(dataOf(again)).toEqual([0, 3, 6, 9, 12].map((triple) => ({ triple })));
    await tell(); // nothing is left to tell
    expect((await feed(id, `?cursor=${again.nextCursor}`)).data).toEqual([]);
    expect((await ask('DELETE', `admin/mappings/${second.id}`)).status).toBe(204);
    await tell();
    expect(dataOf(await feed(id, `?cursor=${again.nextCursor}`))).toEqual([0, 1, 2, 3, 4].map((n) => ({ n })));
    expect(remote.ledger).toHaveLength(asked);
    const all = (await (await ask('GET', 'admin/mappings?ended=true')).json()) as { data: Mapping[] };
    expect(all.data.map(({ version, endedAt, toldAt }) => [version, endedAt !== null, toldAt !== null])).toEqual([
      [2, true, true],
      [1, true, true],
    ]);
    expect((await ask('DELETE', `admin/mappings/${second.id}`)).status).toBe(404);
  });

  it('takes one that is set for the connection before the one of the organization', async () => {
    const other = await connected('remote');
    await set('{ "all": n }');
    await set('{ "own": n }', { connectionId: other });
    expect(dataOf(await feed())[1]).toEqual({ all: 1 });
    expect(dataOf(await feed(other))[1]).toEqual({ own: 1 });
    await tell();
    const { nextCursor } = await feed(other);
    await set('{ "all": n, "v": 2 }'); // not of the other's concern
    await tell();
    expect((await feed(other, `?cursor=${nextCursor}`)).data).toEqual([]);
  });

  it('says which record a mapping fails on, and loses none', async () => {
    await set('n = 3 ? $error("three is odd") : { "n": n }');
    const { data } = await feed();
    expect(data).toHaveLength(5);
    expect(data.filter(({ mappingError }) => mappingError)).toEqual([
      expect.objectContaining({ id: 'r3', data: null, mappingError: expect.stringContaining('three is odd') as string }),
    ]);
    expect((await feed(id, '?raw=true')).data[3]).toMatchObject({ data: { n: 3 } });
  });

  it('says of a record that does not have the declared shape what is wrong with it, mapped or not, and gives it all the same', async () => {
    const shaped = await connected('shaped');
    const wrong = ({ data }: Feed) =>
      data.flatMap(({ id: record, shapeError }) => (shapeError === undefined ? [] : [[record, shapeError]]));
    const reason = 'n: Too big: expected number to be <=3';
    expect(wrong(await feed(shaped))).toEqual([['r4', reason]]);
    await set('{ "double": n * 2 }', { provider: 'shaped' });
    const mapped = await feed(shaped);
    expect([wrong(mapped), dataOf(mapped)[4]]).toEqual([[['r4', reason]], { double: 8 }]);
    const one = await ask('GET', `connections/${shaped}/records/items/r4?raw=true`, undefined, tokens.user);
    expect(await one.json()).toMatchObject({ data: { n: 4 }, shapeError: reason });
    const view = await (await ask('GET', `connections/${shaped}`, undefined, tokens.user)).json();
    expect(view).toMatchObject({ error: null, parts: [{ resource: 'items', shapeErrors: 1, shapeError: reason, error: null }] });
    const metrics = await (await fetch(`${app.url}/metrics`, { headers: { authorization: `Bearer ${await operator()}` } })).text();
    expect(metrics).toMatch(/trestle_record_shape_failures_total\{[^}]*provider="shaped"[^}]*\} [1-9]/);
  });

  it('ends an expression that takes too long or too much, and goes on with the others', async () => {
    await set('( $forever := function($n) { $forever($n + 1) }; n = 1 ? $forever(0) : n )');
    const { data } = await feed();
    expect(data.map(({ data: each, mappingError }) => mappingError ?? each)).toEqual([0, 'The mapping took longer than 1000 ms.', 2, 3, 4]);
    await set('n = 2 ? $map([1..9000000], function($v) { $string($v) & "xxxxxxxxxxxxxxxxxxxxxxxx" }) : n');
    const after = await feed();
    expect(after.data.map(({ mappingError }) => mappingError !== undefined)).toEqual([false, false, true, false, false]);
    expect((await fetch(`${app.url}/health/live`)).status).toBe(200);
  });

  it('gives an expression the record and nothing else', async () => {
    await set('{ "env": $process, "require": $require, "constructor": $lookup($, "constructor"), "proto": $lookup($, "__proto__") }');
    for (const each of dataOf(await feed())) expect(each).toEqual({});
  });

  it('refuses what it cannot read, and says where', async () => {
    const refused = await set('{ "a": ');
    expect(refused).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(refused.detail).toMatch(/character \d+/);
    expect(await set('n', { resource: 'things' })).toMatchObject({ status: 400, detail: 'resource: "things" is none of remote.' });
    expect(await set('n', { connectionId: uuidv7() })).toMatchObject({ status: 404 });
    expect(await set('n', { connectionId: await connected('coded') })).toMatchObject({ status: 400 });
  });

  it('previews an expression on real records, and stores nothing', async () => {
    const answer = await ask('POST', 'admin/mappings/preview', {
      provider: 'remote',
      resource: 'items',
      expression: '$string(n)',
      limit: 2,
      connectionId: id,
    });
    expect(answer.status).toBe(200);
    const { data } = (await answer.json()) as { data: { before: { n: number }; after: string }[] };
    expect(data).toHaveLength(2);
    for (const { before, after } of data) expect(after).toBe(String(before.n));
    expect((await feed()).mapping).toBeUndefined();
  });

  it("lets the product's code have its say first", async () => {
    const coded = await connected('coded');
    const plain = await feed(coded);
    expect(plain.data.map(({ data, mappingError }) => mappingError ?? data)).toEqual([
      ...[0, 1, 2].map((number) => ({ number, of: 'acme' })),
      'three is not for us',
      { number: 4, of: 'acme' },
    ]);
    await set('number', { provider: 'coded' });
    expect(dataOf(await feed(coded))).toEqual([0, 1, 2, null, 4]);
  });

  it("is the organization's own: nobody else sees it, changes it or is changed by it", async () => {
    const { id: mapping } = await set('"acme"');
    const theirs = await connected('remote', 'umbrella');
    const read = (await (await ask('GET', `connections/${theirs}/records/items`, undefined, tokens.other)).json()) as Feed;
    expect(read.data[1]).toMatchObject({ data: { n: 1 } });
    expect(await (await ask('GET', 'admin/mappings', undefined, tokens.other)).json()).toMatchObject({ data: [] });
    expect((await ask('DELETE', `admin/mappings/${mapping}`, undefined, tokens.other)).status).toBe(404);
    expect(await set('n', { connectionId: id }, tokens.other)).toMatchObject({ status: 404 });
    expect(await set('n', {}, tokens.user)).toMatchObject({ status: 403 });
    expect(await set('n', {}, tokens.support)).toMatchObject({ status: 403 });
    expect((await ask('GET', 'admin/mappings', undefined, tokens.support)).status).toBe(200);
    const audit = (await (await ask('GET', 'admin/audit?action=mapping.set')).json()) as { data: { target: string }[] };
    expect(audit.data.map(({ target }) => target)).toContain(`mapping:${mapping}`);
  });
});
