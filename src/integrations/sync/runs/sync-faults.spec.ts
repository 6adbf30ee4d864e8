import { Logger } from '@nestjs/common';
import { systemClock } from '../../../clock';
import { OnlyProcess } from '../../../database';
import { IntegrationError } from '../../../errors';
import type { SyncResource } from '../../contract';
import { ProcessPresence } from '../../jobs';
import { SyncHarness } from '../testing/sync-harness';
import { contentOf, filled, sceneOf } from '../testing/sync-scene';

Logger.overrideLogger(false);

let harness: SyncHarness;
beforeAll(async () => {
  harness = await SyncHarness.start();
});
afterAll(() => harness.close());
afterEach(async () => {
  await harness.query(`DELETE FROM connections`);
});

/** A page at which the process stops for ever: what it did before is committed, what it does now never ends. */
const never = () => new Promise<void>(() => undefined);

describe('a crash', () => {
  it.each([1, 2, 3, 4, 5])('before page %i resumes there, with at most one page fetched again', async (crashAt) => {
    const remote = filled(45);
    const { process, connection } = await sceneOf(harness, remote);
    await process.service.request(connection.id, { type: 'full', trigger: 'connect' });
    remote.beforePage = () => (remote.ledger.length === crashAt ? never() : undefined);
    void process.step();
    await until(() => remote.ledger.length === crashAt);
    await settled(connection.id, (crashAt - 1) * 10);

    await harness.endLeases();
    remote.beforePage = () => undefined;
    await harness.process().drain();
    expect(await harness.stored(connection.id)).toEqual(contentOf(remote));
    const asked = remote.ledger.map(({ from }) => from);
    expect(asked.length - new Set(asked).size).toBeLessThanOrEqual(1);
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'succeeded', fence: 2, counts: { fetched: 45, created: 45 } });
  });

  it('in the middle of a page leaves no part of it, and the walk goes on from its start', async () => {
    const remote = filled(45);
    const { process, connection } = await sceneOf(harness, remote);
    await breakCommits(3); // the statement after the records of the third page fails
    await process.service.request(connection.id, { type: 'full', trigger: 'connect' });
    await process.step();
    expect((await harness.stored(connection.id)).size).toBe(20);
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'queued', counts: { fetched: 20 } });
    await mendCommits();
    await harness.endWaits();
    await process.drain();
    expect(await harness.stored(connection.id)).toEqual(contentOf(remote));
    const asked = remote.ledger.map(({ from }) => from);
    expect(asked.length - new Set(asked).size).toBe(1);
  });

  it('between the last page and its sweep still sweeps exactly what is gone', async () => {
    const remote = filled(45);
    const { process, connection, full } = await sceneOf(harness, remote);
    await full();
    remote.list().remove('r0011');
    await process.service.request(connection.id, { type: 'full', trigger: 'manual' });
    remote.beforePage = ({ from }) => (from === 'r0040' ? never() : undefined);
    const asked = remote.ledger.length;
    void process.step();
    await until(() => remote.ledger.length === asked + 5);
    await harness.endLeases();
    remote.beforePage = () => undefined;
    await harness.process().drain();
    expect(await harness.stored(connection.id)).toEqual(contentOf(remote));
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'succeeded', counts: { deleted: 1 } });
  });

  it('again and again without a page in between ends as a failed run', async () => {
    const remote = filled(5);
    const { process, connection } = await sceneOf(harness, remote);
    await process.service.request(connection.id, { type: 'full', trigger: 'connect' });
    remote.beforePage = never;
    for (let attempt = 1; attempt <= 6; attempt++) {
      void harness.process().step();
      await until(() => remote.ledger.length === attempt);
      await harness.endLeases();
    }
    await harness.process().step();
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'failed', error: { code: 'internal_error' } });
    expect(remote.ledger).toHaveLength(6);
  });
});

describe('a run that is taken over', () => {
  it('takes no more pages from the one that had it', async () => {
    const remote = filled(30);
    const { process, connection } = await sceneOf(harness, remote);
    await process.service.request(connection.id, { type: 'full', trigger: 'connect' });
    let release = () => undefined as void;
    const paused = new Promise<void>((resolve) => (release = resolve));
    remote.beforePage = () => (remote.ledger.length === 2 ? paused : undefined);
    const stale = process.step();
    await until(() => remote.ledger.length === 2);
    await settled(connection.id, 10);

    await harness.endLeases();
    await harness.process().drain();
    const [before] = await harness.query('SELECT * FROM record_sequences WHERE connection_id = $1', [connection.id]);
    remote.list().put('r0012', 'newer, which the stale one now reads');
    release();
    await stale;
    const [after] = await harness.query('SELECT * FROM record_sequences WHERE connection_id = $1', [connection.id]);
    expect(after).toEqual(before);
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'succeeded', fence: 2, counts: { fetched: 30 } });
  });

  it('goes on at once where its process has ended', async () => {
    const remote = filled(30);
    const { process, connection } = await sceneOf(harness, remote);
    await process.service.request(connection.id, { type: 'full', trigger: 'manual' });
    const dead = new OnlyProcess();
    expect(await process.runs.claim(new ProcessPresence(dead, systemClock).newLease(), 30, [])).toBeDefined();
    await process.runs.endLeases([dead.sign, '0000beef']);
    expect(await process.step()).toBe('idle');
    await process.runs.endLeases(['0000beef']);
    await process.drain();
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'succeeded', fence: 2 });
  });

  it('belongs to one of several claimers', async () => {
    const remote = filled(3);
    const { process, connection } = await sceneOf(harness, remote);
    await process.service.request(connection.id, { type: 'full', trigger: 'connect' });
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => harness.process().step()));
    expect(outcomes.filter((outcome) => outcome === 'more')).toHaveLength(1);
    expect(remote.ledger).toHaveLength(1);
  });
});

describe('a failing provider', () => {
  it('is tried again later, from the page where it failed', async () => {
    const remote = filled(30);
    const { process, connection } = await sceneOf(harness, remote);
    await process.service.request(connection.id, { type: 'full', trigger: 'connect' });
    remote.beforePage = () => {
      if (remote.ledger.length === 2) throw new IntegrationError('provider_rate_limited', { retryAfterMs: 60_000 });
    };
    await process.drain();
    expect(await harness.latestRun(connection.id)).toMatchObject({
      status: 'queued',
      error: { code: 'provider_rate_limited' },
      counts: { fetched: 10 },
    });
    const [{ wait } = { wait: 0 }] = await harness.query<{ wait: number }>(
      'SELECT extract(epoch FROM next_attempt_at - now())::float AS wait FROM sync_runs WHERE connection_id = $1',
      [connection.id],
    );
    expect(wait).toBeGreaterThan(50);
    await harness.endWaits();
    await process.drain();
    expect(await harness.stored(connection.id)).toEqual(contentOf(remote));
  });

  it('that is never well again ends the run after a bounded number of tries', async () => {
    const remote = filled(30);
    const { process, connection } = await sceneOf(harness, remote);
    await process.service.request(connection.id, { type: 'full', trigger: 'connect' });
    remote.beforePage = () => {
      throw new IntegrationError('provider_unavailable');
    };
    for (let i = 0; i < 10; i++) {
      await process.drain();
      await harness.endWaits();
    }
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'failed', error: { code: 'provider_unavailable' } });
    expect(remote.ledger).toHaveLength(6);
    expect(process.told.map(({ type }) => type)).toEqual(['sync.failed']);
  });

  it('that ended the access fails the run at once and keeps cursor and records', async () => {
    const remote = filled(30);
    const { process, connection, full } = await sceneOf(harness, remote);
    await full();
    remote.list().put('r0000', 'changed');
    await process.service.request(connection.id, { type: 'full', trigger: 'manual' });
    const asked = remote.ledger.length;
    remote.beforePage = () => {
      if (remote.ledger.length === asked + 2) throw new IntegrationError('needs_reauth');
    };
    await process.drain();
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'failed', error: { code: 'needs_reauth' } });
    expect(await harness.query('SELECT cursor FROM sync_cursors WHERE connection_id = $1', [connection.id])).toEqual([
      { cursor: { head: 31 } },
    ]);
    expect((await harness.stored(connection.id)).size).toBe(30);
    // after the reconnect: from where it was, nothing lost
    remote.beforePage = () => undefined;
    await process.service.request(connection.id, { type: 'incremental', trigger: 'connect' });
    await process.drain();
    expect(await harness.stored(connection.id)).toEqual(contentOf(remote));
  });

  it('that gives no place to go on from is read whole the next time, and the parts after it have their turn', async () => {
    const remote = filled(3, 'a');
    remote.list('b').put('x', 1);
    const [items] = remote.sync({ partitioned: true }).resources;
    const full: SyncResource['full'] = async function* (context) {
      const pages = items!.full(context);
      let next = await pages.next();
      for (; !next.done; next = await pages.next()) yield { ...next.value, ...(context.partition === 'a' && { cursor: null }) };
      return next.value;
    };
    const { id } = await harness.connect(harness.provider({ resources: [{ ...items!, full }] }));
    const process = harness.process();
    const modes = async (type: 'full' | 'incremental') => {
      remote.ledger.length = 0;
      await process.service.request(id, { type, trigger: 'manual' });
      await process.drain();
      return remote.ledger.map(({ partition, mode }) => `${partition} ${mode}`);
    };
    expect(await modes('full')).toEqual(['a full', 'b full']);
    expect(await harness.stored(id)).toEqual(contentOf(remote));
    expect(await modes('incremental')).toEqual(['a full', 'b incremental']);
    expect(await harness.latestRun(id)).toMatchObject({ status: 'succeeded', error: null });
  });

  it('of one partition does not keep the others from being walked', async () => {
    const remote = filled(5, 'a');
    remote.list('b').put('x', 1);
    const { connection, full } = await sceneOf(harness, remote, { partitioned: true });
    remote.beforePage = ({ partition }) => {
      if (partition === 'a') throw new IntegrationError('provider_forbidden');
    };
    await full();
    expect(await harness.stored(connection.id)).toEqual(new Map([['b/x', 1]]));
    expect(await harness.latestRun(connection.id)).toMatchObject({
      status: 'succeeded',
      error: { code: 'provider_forbidden', message: expect.stringContaining('Items (1 of 2 read)') as string },
    });
  });
});

describe('stopping', () => {
  it('hands the run back at a shutdown, to be gone on with elsewhere', async () => {
    const remote = filled(30);
    const { process, connection } = await sceneOf(harness, remote);
    await process.service.request(connection.id, { type: 'full', trigger: 'connect' });
    remote.beforePage = () => (remote.ledger.length === 3 ? never() : undefined);
    const running = process.step();
    await until(() => remote.ledger.length === 3);
    await settled(connection.id, 20);
    process.shutDown();
    await running;
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'queued', counts: { fetched: 20 } });
    remote.beforePage = () => undefined;
    await harness.process().drain();
    expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'succeeded', counts: { fetched: 30 } });
  });

  it('ends a run at once when it is cancelled, here or in another process', async () => {
    for (const elsewhere of [false, true]) {
      const remote = filled(30);
      const { process, connection } = await sceneOf(harness, remote);
      await process.service.request(connection.id, { type: 'full', trigger: 'connect' });
      let release = () => undefined as void;
      remote.beforePage = () => (remote.ledger.length === 2 ? new Promise<void>((resolve) => (release = resolve)) : undefined);
      const running = process.step();
      await until(() => remote.ledger.length === 2);
      await settled(connection.id, 10);
      await (elsewhere ? harness.process() : process).cancel(connection.id);
      if (elsewhere) release(); // it notices at the next page
      await running;
      expect(await harness.latestRun(connection.id)).toMatchObject({ status: 'cancelled' });
      expect((await harness.stored(connection.id)).size).toBe(10);
    }
  });
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline;) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('did not happen within 10 s');
}

/** The pages before the one in flight are committed. */
async function settled(connectionId: string, fetched: number): Promise<void> {
  await until(async () => (await harness.latestRun(connectionId)).counts.fetched === fetched);
}

/** Makes the nth update of a run's counts fail, which comes after the records of its page were written. */
async function breakCommits(nth: number): Promise<void> {
  await harness.query(`CREATE SEQUENCE broken_pages`);
  await harness.query(`CREATE FUNCTION break_page() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('broken_pages') = ${nth} THEN RAISE EXCEPTION 'the process is gone'; END IF; RETURN NEW; END $$`);
  await harness.query(`CREATE TRIGGER break_page BEFORE UPDATE OF fetched ON sync_runs FOR EACH ROW EXECUTE FUNCTION break_page()`);
}

async function mendCommits(): Promise<void> {
  await harness.query('DROP TRIGGER break_page ON sync_runs');
  await harness.query('DROP FUNCTION break_page');
  await harness.query('DROP SEQUENCE broken_pages');
}
