import { Logger } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { IntegrationError } from '../../../errors';
import type { ConnectionRef, WatchFacts } from '../../contract';
import { FakeRemote } from '../testing/fake-remote';
import { SyncHarness, type SyncProcess } from '../testing/sync-harness';

Logger.overrideLogger(false);

describe('watches', () => {
  let harness: SyncHarness;
  let process: SyncProcess;
  let remote: FakeRemote;
  let connection: ConnectionRef;
  const signal = new AbortController().signal;

  beforeAll(async () => {
    harness = await SyncHarness.start();
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    await harness.query('DELETE FROM connections');
    process = harness.process();
    remote = new FakeRemote();
    remote.list('work').put('a', 1);
    remote.list('home').put('b', 1);
    connection = await harness.connect(harness.provider(remote.sync({ partitioned: true, watch: true })));
  });

  const sync = async () => {
    await process.service.request(connection.id, { type: 'incremental', trigger: 'manual' });
    await process.drain();
  };
  const living = () => [...remote.watches].filter(([, watch]) => !watch.stopped);

  it('are made for every partition after a sync, once', async () => {
    await sync();
    await sync();
    expect(
      living()
        .map(([, { partition }]) => partition)
        .sort(),
    ).toEqual(['home', 'work']);
    const [[channelId, { token, address }] = ['', { token: '', address: '' }]] = living();
    expect(address).toBe(`https://trestle.example/webhooks/${connection.provider}`);
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(await process.watches.find(channelId)).toMatchObject({
      connectionId: connection.id,
      remoteId: `remote-${channelId}`,
      tokenHash: createHash('sha256').update(token).digest('hex'),
    });
    const rows = JSON.stringify(await harness.query('SELECT * FROM sync_watches'));
    expect(rows).not.toContain(token);
  });

  it('are made for the parts that can be watched; the one that cannot is asked again ever more rarely', async () => {
    const [items] = remote.sync({ partitioned: true, watch: true }).resources;
    const asked: string[] = [];
    let refusing = true;
    const create: WatchFacts['create'] = (context) => {
      asked.push(context.partition);
      if (refusing && context.partition === 'work') return Promise.reject(new IntegrationError('provider_rejected'));
      return items!.watch!.create(context);
    };
    connection = await harness.connect(harness.provider({ resources: [{ ...items!, watch: { ...items!.watch!, create } }] }));
    const refusals = () => asked.filter((partition) => partition === 'work').length;
    await sync();
    await sync();
    expect(living().map(([, { partition }]) => partition)).toEqual(['home']);
    expect(asked.sort()).toEqual(['home', 'work']);

    const day = 86_400_000;
    harness.clock.advance(day + 1);
    await sync();
    expect(refusals()).toBe(2);
    harness.clock.advance(day / 2);
    await sync();
    expect(refusals()).toBe(2);
    harness.clock.advance(day / 2 + 1);
    await sync();
    expect(refusals()).toBe(3);
    harness.clock.advance(day + 1);
    await sync();
    expect(refusals()).toBe(3);

    harness.clock.advance(60 * day);
    await sync();
    expect(refusals()).toBe(4);
    harness.clock.advance(7 * day + 1);
    await sync();
    expect(refusals()).toBe(5);
    await process.watches.forgetRefusals(connection.id);
    await sync();
    expect(refusals()).toBe(6);

    refusing = false;
    harness.clock.advance(7 * day + 1);
    await sync();
    expect(
      await harness.query(`SELECT partition, status FROM sync_watches WHERE connection_id = $1 AND partition = 'work'`, [connection.id]),
    ).toEqual([{ partition: 'work', status: 'active' }]);
  });

  it('are known before the provider answers, so that its first notification is', async () => {
    let known: unknown;
    const facts = remote.sync({ partitioned: true, watch: true }).resources[0];
    const provider = harness.provider({
      resources: [
        {
          ...facts!,
          watch: {
            ...facts!.watch!,
            create: async (context) => {
              known = await process.watches.find(context.channelId);
              return facts!.watch!.create(context);
            },
          },
        },
      ],
    });
    connection = await harness.connect(provider);
    await sync();
    expect(known).toMatchObject({ status: 'creating', connectionId: connection.id });
  });

  it('are replaced before they end, the new one first', async () => {
    await sync();
    const before = living().map(([id]) => id);
    expect(await process.watches.renewExpiring(signal)).toBe(0);
    harness.clock.advance(6 * 86_400_000 + 1);
    await process.watches.renewExpiring(signal);
    const after = living().map(([id]) => id);
    expect(after).toHaveLength(2);
    expect(after.some((id) => before.includes(id))).toBe(false);
    expect(before.every((id) => remote.watches.get(id)?.stopped)).toBe(true);
    expect(await process.watches.find(before[0] ?? '')).toBeUndefined();
    harness.clock.advance(-(6 * 86_400_000 + 1));
  });

  it('go on where the provider renews them, and are made anew where it does not know them', async () => {
    const facts = remote.sync({ partitioned: true, watch: true }).resources[0]!;
    const asked: string[] = [];
    const renew: WatchFacts['renew'] = ({ partition, now, remoteId }) => {
      asked.push(remoteId);
      return partition === 'work'
        ? Promise.resolve({ expiresAt: now() + 7 * 86_400_000 })
        : Promise.reject(new IntegrationError('provider_not_found'));
    };
    connection = await harness.connect(harness.provider({ resources: [{ ...facts, watch: { ...facts.watch!, renew } }] }));
    await sync();
    const before = new Map(living().map(([id, { partition }]) => [partition, id]));
    harness.clock.advance(6 * 86_400_000 + 1);
    expect(await process.watches.renewExpiring(signal)).toBe(2);
    const after = new Map(living().map(([id, { partition }]) => [partition, id]));
    expect(asked.sort()).toEqual([...before.values()].map((id) => `remote-${id}`).sort());
    expect(after.get('work')).toBe(before.get('work'));
    expect(after.get('home')).not.toBe(before.get('home'));
    expect(await process.watches.renewExpiring(signal)).toBe(0);
    harness.clock.advance(-(6 * 86_400_000 + 1));
  });

  it('are renewed by one of several processes', async () => {
    await sync();
    harness.clock.advance(6 * 86_400_000 + 1);
    await Promise.all(Array.from({ length: 4 }, () => harness.process().watches.renewExpiring(signal)));
    expect(remote.watches.size).toBe(4);
    harness.clock.advance(-(6 * 86_400_000 + 1));
  });

  it('are stopped for a partition that is gone, and all of them before a disconnect', async () => {
    await sync();
    remote.lists.delete('home');
    await sync();
    expect(living().map(([, { partition }]) => partition)).toEqual(['work']);
    await process.watches.stopAll(connection, signal);
    expect(living()).toEqual([]);
    expect(await harness.query('SELECT * FROM sync_watches')).toEqual([]);
  });

  it('that cannot be made leave the sync succeeded and no row behind', async () => {
    const facts = remote.sync({ watch: true }).resources[0];
    connection = await harness.connect(
      harness.provider({
        resources: [{ ...facts!, watch: { ...facts!.watch!, create: () => Promise.reject(new Error('no valid certificate')) } }],
      }),
    );
    await sync();
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'succeeded' });
    expect(await harness.query('SELECT * FROM sync_watches')).toEqual([]);
  });
});
