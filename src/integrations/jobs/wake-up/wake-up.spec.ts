import { Global, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { CLOCK, systemClock } from '../../../clock';
import { SETTINGS } from '../../../config/config.module';
import { WakeUp, type Worker } from './wake-up';
import { InProcessWakeUp } from './in-process.wake-up';
import { WakeUpModule } from './wake-up.module';

interface Options {
  readonly workers?: boolean;
  readonly redisUrl?: string;
}

async function open({ workers = true, redisUrl }: Options = {}): Promise<{ module: TestingModule; wakeUp: WakeUp }> {
  const settings = { workers, redisUrl };
  @Global()
  @Module({
    providers: [
      { provide: SETTINGS, useValue: settings },
      { provide: CLOCK, useValue: systemClock },
    ],
    exports: [SETTINGS, CLOCK],
  })
  class Surroundings {}
  const module = await Test.createTestingModule({ imports: [Surroundings, WakeUpModule] }).compile();
  module.useLogger(false);
  await module.init();
  opened.push(module);
  return { module, wakeUp: module.get(WakeUp) };
}

const opened: TestingModule[] = [];
afterEach(async () => {
  for (const module of opened.splice(0)) await module.close();
});

const turns = async (count = 20) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

async function until(condition: () => boolean, ms = 8_000): Promise<void> {
  for (const end = Date.now() + ms; !condition() && Date.now() < end;) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** A worker that counts its looks. */
function counting(look: (number: number) => Promise<void> = () => Promise.resolve()) {
  const worker: Worker & { looks: number } = { looks: 0, busy: false, wake: () => look(++worker.looks) };
  return worker;
}

/** A worker whose every look ends when the test says so. */
function held() {
  const ends: (() => void)[] = [];
  return { ends, worker: counting(() => new Promise((resolve) => ends.push(resolve))) };
}

describe('in one process', () => {
  it('lets a new worker look at once, and once', async () => {
    const { wakeUp } = await open();
    const worker = counting();
    wakeUp.listen('webhooks', worker);
    await turns();
    expect(worker.looks).toBe(1);
  });

  it('makes one look of many calls, and loses none that came while it looked', async () => {
    const { wakeUp } = await open();
    const { ends, worker } = held();
    wakeUp.listen('sync', worker);
    await turns();
    for (let i = 0; i < 50; i++) wakeUp.wake('sync');
    expect(worker.looks).toBe(1);
    ends[0]?.();
    await turns();
    expect(worker.looks).toBe(2);
    ends[1]?.();
    await turns();
    expect(worker.looks).toBe(2);
  });

  it('says that a topic is busy while its worker is, while more comes than is looked for, and where nobody works on it', async () => {
    const { wakeUp } = await open();
    const local = wakeUp as InProcessWakeUp;
    const { ends, worker } = held();
    expect(local.isBusy('webhooks')).toBe(true);
    wakeUp.listen('webhooks', worker);
    expect(local.isBusy('webhooks')).toBe(false);
    wakeUp.wake('webhooks');
    expect(local.isBusy('webhooks')).toBe(true);
    ends[0]?.();
    await turns();
    expect(local.isBusy('webhooks')).toBe(false);
    Object.assign(worker, { busy: true });
    expect(local.isBusy('webhooks')).toBe(true);
    ends[1]?.();
  });

  it('goes on after a worker that failed', async () => {
    const { wakeUp } = await open();
    const worker = counting((number) => (number === 1 ? Promise.reject(new Error('no database')) : Promise.resolve()));
    wakeUp.listen('webhooks', worker);
    await turns();
    wakeUp.wake('webhooks');
    await turns();
    expect(worker.looks).toBe(2);
  });

  it('waits for a look when the process stops, and begins no other', async () => {
    const { module, wakeUp } = await open();
    const { ends, worker } = held();
    wakeUp.listen('webhooks', worker);
    await turns();
    wakeUp.wake('webhooks'); // to look again, had the process not stopped
    let closed = false;
    const closing = module.close().then(() => (closed = true));
    await turns();
    expect(closed).toBe(false);
    wakeUp.wake('webhooks');
    ends[0]?.();
    await closing;
    expect(worker.looks).toBe(1);
  });

  it('has no worker where the settings say so', async () => {
    const { wakeUp } = await open({ workers: false });
    const worker = counting();
    wakeUp.listen('webhooks', worker);
    wakeUp.wake('webhooks');
    await turns();
    expect(worker.looks).toBe(0);
    expect(await wakeUp.status()).toEqual({ status: 'ok' });
  });
});

describe('without the Redis that it was promised', () => {
  it('wakes its own process, never throws, and says that it is degraded', async () => {
    const { wakeUp } = await open({ redisUrl: 'redis://127.0.0.1:9/0' });
    const worker = counting();
    wakeUp.listen('webhooks', worker);
    for (let i = 0; i < 100; i++) wakeUp.wake('webhooks');
    await until(() => worker.looks > 0);
    expect(worker.looks).toBeGreaterThan(0);
    expect((await wakeUp.status()).status).toBe('degraded');
  });
});

const redisUrl = process.env['TEST_REDIS_URL'];
(redisUrl ? describe : describe.skip)('on Redis (TEST_REDIS_URL)', () => {
  it('wakes another process when this one has no workers, and when its own are busy', async () => {
    const other = await open({ redisUrl });
    const front = await open({ redisUrl, workers: false });
    const worker = counting();
    other.wakeUp.listen('webhooks', worker);
    await until(() => worker.looks === 1);
    front.wakeUp.wake('webhooks');
    await until(() => worker.looks > 1);
    expect(worker.looks).toBeGreaterThan(1);
    expect(await front.wakeUp.status()).toEqual({ status: 'ok' });

    const full = await open({ redisUrl });
    full.wakeUp.listen('sync', Object.assign(counting(), { busy: true }));
    const helping = counting();
    other.wakeUp.listen('sync', helping);
    await until(() => helping.looks === 1);
    // A call is taken by one of those who listen; the busy one is one of them.
    await until(() => (full.wakeUp.wake('sync'), helping.looks > 1));
    expect(helping.looks).toBeGreaterThan(1);
  });
});
