import { Global, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { CLOCK, systemClock } from '../../../clock';
import { SETTINGS } from '../../../config/config.module';
import { WakeUp, type Work } from './wake-up';
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

/** A worker whose every look ends when the test says so. */
function heldWork() {
  const looks: ((outcome: 'more' | 'idle') => void)[] = [];
  const work: Work = () => new Promise((resolve) => looks.push(resolve));
  return { looks, work };
}

describe('in one process', () => {
  it('lets a new worker look at once, and again for as long as there is more', async () => {
    const { wakeUp } = await open();
    const answers: ('more' | 'idle')[] = ['more', 'more', 'idle'];
    let looks = 0;
    wakeUp.listen('webhooks', () => Promise.resolve(answers[looks++] ?? 'idle'));
    await turns();
    expect(looks).toBe(3);
  });

  it('makes one look of many calls, and loses none that came while it looked', async () => {
    const { wakeUp } = await open();
    const { looks, work } = heldWork();
    wakeUp.listen('sync', work);
    await turns();
    for (let i = 0; i < 50; i++) wakeUp.wake('sync');
    expect(looks).toHaveLength(1);
    looks[0]?.('idle');
    await turns();
    expect(looks).toHaveLength(2);
    looks[1]?.('idle');
    await turns();
    expect(looks).toHaveLength(2);
  });

  it('uses as many lanes as it was given', async () => {
    const { wakeUp } = await open();
    const { looks, work } = heldWork();
    wakeUp.listen('webhooks', work, { lanes: 2 });
    await turns();
    for (let i = 0; i < 5; i++) {
      wakeUp.wake('webhooks');
      await turns(3);
    }
    expect(looks).toHaveLength(2);
    for (const look of looks) look('idle');
    await turns();
    expect(looks).toHaveLength(3); // what was called for meanwhile
    looks[2]?.('idle');
  });

  it('goes on after a worker that failed', async () => {
    const { wakeUp } = await open();
    let looks = 0;
    wakeUp.listen('webhooks', () => (looks++ === 0 ? Promise.reject(new Error('no database')) : Promise.resolve('idle')));
    await turns();
    wakeUp.wake('webhooks');
    await turns();
    expect(looks).toBe(2);
  });

  it('waits for what is in work when the process stops, and begins nothing new', async () => {
    const { module, wakeUp } = await open();
    const { looks, work } = heldWork();
    let aborted = false;
    wakeUp.listen('webhooks', (signal) => {
      signal.addEventListener('abort', () => (aborted = true));
      return work(signal);
    });
    await turns();
    let closed = false;
    const closing = module.close().then(() => (closed = true));
    await turns();
    expect([aborted, closed]).toEqual([true, false]);
    wakeUp.wake('webhooks');
    looks[0]?.('more');
    await closing;
    expect(looks).toHaveLength(1);
  });

  it('has no worker where the settings say so', async () => {
    const { wakeUp } = await open({ workers: false });
    let looks = 0;
    wakeUp.listen('webhooks', () => Promise.resolve(looks++ ? 'idle' : 'idle'));
    wakeUp.wake('webhooks');
    await turns();
    expect(looks).toBe(0);
    expect(await wakeUp.status()).toEqual({ status: 'ok' });
  });
});

describe('without the Redis that it was promised', () => {
  it('wakes its own process, never throws, and says that it is degraded', async () => {
    const { wakeUp } = await open({ redisUrl: 'redis://127.0.0.1:9/0' });
    let looks = 0;
    wakeUp.listen('webhooks', () => Promise.resolve(++looks > 0 ? 'idle' : 'idle'));
    for (let i = 0; i < 100; i++) wakeUp.wake('webhooks');
    await until(() => looks > 0);
    expect(looks).toBeGreaterThan(0);
    expect((await wakeUp.status()).status).toBe('degraded');
  });
});

const redisUrl = process.env['TEST_REDIS_URL'];
(redisUrl ? describe : describe.skip)('on Redis (TEST_REDIS_URL)', () => {
  it('wakes another process when this one has no workers', async () => {
    const worker = await open({ redisUrl });
    const front = await open({ redisUrl, workers: false });
    let looks = 0;
    worker.wakeUp.listen('webhooks', () => Promise.resolve(++looks > 0 ? 'idle' : 'idle'));
    await until(() => looks === 1);
    front.wakeUp.wake('webhooks');
    await until(() => looks > 1);
    expect(looks).toBeGreaterThan(1);
    expect(await front.wakeUp.status()).toEqual({ status: 'ok' });
  });
});
