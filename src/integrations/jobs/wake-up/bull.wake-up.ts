import { Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Queue } from 'bull';
import type Redis from 'ioredis';
import { Counter } from 'prom-client';
import type { Clock } from '../../../clock';
import { withDeadline } from '../../../deadline';
import type { Settings } from '../../../config/env';
import { metricsRegistry } from '../../../metrics';
import { WakeUp, TOPICS, type Topic, type WakeUpStatus, type Worker } from './wake-up';
import type { InProcessWakeUp } from './in-process.wake-up';

/** The job of Bull: a topic to look at, and no work. */
export interface WakeUpCall {
  readonly topic: Topic;
}

/** A call that Redis has not taken by then is given up, ms. */
const PUBLISH_MS = 2_000;
/** Between two calls of one topic, ms. */
const PAUSE_MS = 25;
const PING_MS = 1_000;
const CLOSE_MS = 3_000;
/** Calls of one topic that may wait in Redis: more would say nothing more. */
const WAITING_CALLS = 8;
const LISTENERS = 4;
/** The same complaint about Redis is logged once in this time, ms. */
const QUIET_MS = 30_000;

const lostCalls =
  (metricsRegistry.getSingleMetric('trestle_wake_ups_lost_total') as Counter | undefined) ??
  new Counter({
    name: 'trestle_wake_ups_lost_total',
    help: 'Wake-ups that Redis did not take; the sweeper makes up for them.',
    registers: [metricsRegistry],
  });

/**
 * The wake-up between processes: in this one at once, and through Bull on Redis where all workers of this one are busy. Whatever Redis does, nothing is thrown and nothing waits for it.
 */
export class BullWakeUp extends WakeUp implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(BullWakeUp.name);
  private readonly publishing = new Set<Topic>();
  private readonly again = new Set<Topic>();
  private calls = 0;
  private quietUntil = 0;
  private closed = false;

  constructor(
    private readonly local: InProcessWakeUp,
    private readonly queue: Queue<WakeUpCall>,
    private readonly clients: readonly Redis[],
    private readonly clock: Clock,
    private readonly settings: Pick<Settings, 'workers'>,
  ) {
    super();
    this.queue.on('error', (error: Error) => this.complain(error));
  }

  /**
   * Takes the calls of other processes. Not by `@Process`: what that starts may fail with nobody to notice, when the process stops
   * while Redis is away. The job ends at once; it carries no work, so it can neither stall nor be lost.
   */
  onApplicationBootstrap(): void {
    if (!this.settings.workers) return;
    const taken = this.queue.process(LISTENERS, ({ data }) => {
      const topic = TOPICS.find((known) => known === data.topic);
      if (topic) this.local.wake(topic);
      return Promise.resolve();
    });
    taken.catch((error: unknown) => this.closed || this.complain(error));
  }

  listen(topic: Topic, worker: Worker): void {
    this.local.listen(topic, worker);
  }

  wake(topic: Topic): void {
    const busy = !this.settings.workers || this.local.isBusy(topic);
    this.local.wake(topic);
    if (!busy || this.closed) return;
    if (this.publishing.has(topic)) this.again.add(topic);
    else void this.publish(topic);
  }

  async status(): Promise<WakeUpStatus> {
    try {
      await this.inTime(PING_MS, this.queue.client.ping());
      return { status: 'ok' };
    } catch {
      return {
        status: 'degraded',
        detail: 'Redis cannot be reached: work is found by the sweeper, and each process keeps to its share of the limits.',
      };
    }
  }

  /** Bull waits for a Redis that is away, and Nest for Bull: a stop must wait for neither. */
  async beforeApplicationShutdown(): Promise<void> {
    this.closed = true;
    Object.assign(this.queue, { onApplicationShutdown: () => Promise.resolve() });
    await Promise.all([this.local.beforeApplicationShutdown(), this.closeQueue()]);
  }

  private async closeQueue(): Promise<void> {
    await this.inTime(CLOSE_MS, this.queue.close(true)).catch(() => undefined);
    for (const client of this.clients) client.disconnect();
  }

  private async publish(topic: Topic): Promise<void> {
    this.publishing.add(topic);
    try {
      // Ids in rotation: Bull takes no second job of an id that waits, which bounds the queue while nobody listens.
      const jobId = `${topic}:${this.calls++ % WAITING_CALLS}`;
      await this.inTime(PUBLISH_MS, this.queue.add({ topic }, { jobId, removeOnComplete: true, removeOnFail: true, attempts: 1 }));
    } catch (error) {
      lostCalls.inc();
      this.complain(error);
    }
    // In a flood every batch wakes: the first call goes at once, those of the next moments are one.
    if (this.again.has(topic)) await this.clock.sleep(PAUSE_MS);
    this.publishing.delete(topic);
    if (this.again.delete(topic) && !this.closed) void this.publish(topic);
  }

  private inTime<T>(ms: number, answer: Promise<T>): Promise<T> {
    return withDeadline(this.clock, ms, () => answer, { error: () => new Error('Redis did not answer in time') });
  }

  private complain(error: unknown): void {
    const now = this.clock.now();
    if (now < this.quietUntil) return;
    this.quietUntil = now + QUIET_MS;
    this.logger.warn(`Redis takes no wake-ups, the sweeper stands in: ${error instanceof Error ? error.message : String(error)}`);
  }
}
