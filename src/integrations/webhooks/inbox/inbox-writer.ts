import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { asStorageError, inTransaction, isStorageUnavailable, retried } from '../../../database';
import { IntegrationError } from '../../../errors';
import { Outbox } from '../../notifications/outbox';
import { WakeUp } from '../../jobs';
import type { ClaimedEvent } from '../processing/claimed-event';
import { DirectProcessing, type DirectRun } from '../processing/direct-processing';
import { forwardedEventsOf } from './forwarding';
import { insertDeliveries, storeDeliveries, type NewDelivery } from './inbox-insert';

const MAX_ROWS = 500;
/** In one delivery: as many are stored well within its deadline. */
const MAX_EVENTS = 10_000;
const MAX_BATCH_BYTES = 8 * 1024 * 1024;
const MAX_IN_FLIGHT = 2;
/** What may wait for its turn. More than this is answered "come back later" at once. */
const MAX_WAITING_ROWS = 5_000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** A delivery is answered so long after it came, stored or not: providers wait for few seconds only. */
const DEADLINE_MS = 8_000;
const RETRY_AFTER_MS = 5_000;
/** One for all: to make one for each commit costs as much as a delivery. */
const ANSWERED = new Error('answered');

/** Runs what was claimed as it was stored. Never rejects. */
export type RunClaimed = (owner: string, events: readonly ClaimedEvent[]) => Promise<void>;

interface Waiting {
  /** When it has to be answered, ms since the epoch. */
  readonly dueAt: number;
  readonly delivery: NewDelivery;
  readonly bytes: number;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Stores deliveries, those that come together with one commit. Alone, a delivery is written at once; while others are being
 * written it waits for them, and goes with all that came meanwhile. What is to run at once does not wait for the others' backlog.
 */
@Injectable()
export class InboxWriter {
  /** In this turn of the loop. */
  private arrived: Waiting[] = [];
  private waiting: Waiting[] = [];
  /** Of both. */
  private waitingRows = 0;
  private waitingBytes = 0;
  private inFlight = 0;
  /** Of those in flight, the ones that were answered before the database did. */
  private stuck = 0;
  private scheduled = false;
  private runClaimed: RunClaimed = () => Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    private readonly wakeUp: WakeUp,
    private readonly directProcessing: DirectProcessing,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly outbox: Outbox,
  ) {}

  /** Who runs what was claimed as it was stored. */
  onClaimed(run: RunClaimed): void {
    this.runClaimed = run;
  }

  /**
   * Resolves when the events are committed, however often they were before.
   * @throws IntegrationError `storage_unavailable` or `busy`: the delivery may be sent again; `payload_too_large`: never
   */
  store(delivery: NewDelivery): Promise<void> {
    const rows = delivery.events.length;
    const bytes = delivery.payload.body?.length ?? 0;
    if (rows > MAX_EVENTS || bytes > MAX_WAITING_BYTES) return Promise.reject(tooLarge());
    if (this.stuck >= MAX_IN_FLIGHT) return Promise.reject(unavailable());
    // Whoever comes when nobody waits is taken, whatever its size.
    const isFirst = this.waitingRows === 0;
    if (!isFirst && (this.waitingRows + rows > MAX_WAITING_ROWS || this.waitingBytes + bytes > MAX_WAITING_BYTES))
      return Promise.reject(busy());
    return new Promise((done, failed) => {
      this.arrived.push({ dueAt: this.clock.now() + DEADLINE_MS, delivery, bytes, done, failed });
      this.waitingRows += rows;
      this.waitingBytes += bytes;
      this.schedule();
    });
  }

  /** At the end of this turn of the loop: requests that were read in the same turn go together, and nobody waits. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.sendAtOnce();
      this.waiting.push(...this.arrived.splice(0));
      while (this.inFlight < MAX_IN_FLIGHT && this.waiting.length > 0) void this.flush(this.take(this.waiting));
    });
  }

  /** Bounded by how many such runs there may be. */
  private sendAtOnce(): void {
    const { count } = within(this.arrived);
    const run = this.directProcessing.choose(this.arrived.slice(0, count).map(({ delivery }) => delivery));
    if (!run) return;
    const chosen = this.arrived.filter(({ delivery }) => run.deliveries.has(delivery));
    this.arrived = this.arrived.filter(({ delivery }) => !run.deliveries.has(delivery));
    void this.send(this.take(chosen), run);
  }

  private take(items: Waiting[]): Waiting[] {
    const { rows, bytes, count } = within(items);
    this.waitingRows -= rows;
    this.waitingBytes -= bytes;
    return items.splice(0, count);
  }

  private async flush(batch: Waiting[]): Promise<void> {
    this.inFlight++;
    await this.send(batch);
    this.inFlight--;
    if (this.waiting.length > 0) this.schedule();
  }

  private async send(batch: Waiting[], run?: DirectRun): Promise<void> {
    const answered = new AbortController();
    // The first of them has waited longest, for its turn as well.
    const leftMs = Math.max(0, (batch[0]?.dueAt ?? 0) - this.clock.now());
    const gaveUp = this.clock.sleep(leftMs, answered.signal).then(
      () => this.giveUp(batch),
      () => false,
    );
    await this.write(batch, run);
    answered.abort(ANSWERED);
    if (await gaveUp) this.stuck--;
  }

  /** Never throws: who waits is told. */
  private async write(batch: readonly Waiting[], run?: DirectRun): Promise<void> {
    try {
      const afterwards = await this.insert(
        batch.map(({ delivery }) => delivery),
        run,
      );
      afterwards();
      for (const { done } of batch) done();
    } catch (error) {
      if (batch.length > 1 && !isStorageUnavailable(error)) {
        // One of them cannot be stored: the others must not go down with it.
        for (const item of batch) await this.write([item]);
      } else for (const { failed } of batch) failed(asStorageError(error));
    }
  }

  /**
   * The one way to store: the events, and with them what the product is to hear of them.
   * @returns what has to be done once they are committed
   */
  private async insert(deliveries: readonly NewDelivery[], run?: DirectRun): Promise<() => void> {
    let runs = false;
    try {
      const forwards = await this.outbox.wants(this.dataSource, 'webhook.received');
      // What is forwarded is left to the loop. Until it is stored it takes the place of a run: there is no other bound.
      const claim = forwards ? undefined : run;
      if (claim) {
        const stored = await retried(() => insertDeliveries(this.dataSource, deliveries, claim));
        runs = true;
        return () => void this.runClaimed(claim.owner, stored).finally(() => this.directProcessing.release(claim));
      }
      await (forwards ? this.insertAndForward(deliveries) : retried(() => storeDeliveries(this.dataSource, deliveries)));
      return () => {
        this.wakeUp.wake('webhooks');
        if (forwards) this.wakeUp.wake('deliveries');
      };
    } finally {
      if (run && !runs) this.directProcessing.release(run);
    }
  }

  /** The events, and what the product is to hear of them: both or neither. */
  private insertAndForward(deliveries: readonly NewDelivery[]): Promise<void> {
    const at = new Date(this.clock.now());
    return inTransaction(this.dataSource, async (manager) => {
      await this.outbox.add(manager, forwardedEventsOf(await insertDeliveries(manager, deliveries), at));
    });
  }

  /** The database is stuck: whoever waits is told so. What is in flight may still be kept; it is then known when it comes again. */
  private giveUp(batch: readonly Waiting[]): boolean {
    this.stuck++;
    const stuck = [...batch, ...this.waiting, ...this.arrived];
    this.waiting = [];
    this.arrived = [];
    this.waitingRows = 0;
    this.waitingBytes = 0;
    for (const { failed } of stuck) failed(unavailable());
    return true;
  }
}

/** As many as may go in one commit, at least one. */
function within(items: readonly Waiting[]): { rows: number; bytes: number; count: number } {
  let rows = 0;
  let bytes = 0;
  let count = 0;
  for (const item of items) {
    if (count > 0 && (rows + item.delivery.events.length > MAX_ROWS || bytes + item.bytes > MAX_BATCH_BYTES)) break;
    rows += item.delivery.events.length;
    bytes += item.bytes;
    count++;
  }
  return { rows, bytes, count };
}

function unavailable(): IntegrationError {
  return new IntegrationError('storage_unavailable', { retryAfterMs: RETRY_AFTER_MS });
}

function tooLarge(): IntegrationError {
  return new IntegrationError('payload_too_large', {
    detail: `One delivery may hold ${MAX_EVENTS} events and ${MAX_WAITING_BYTES / 1_048_576} MiB.`,
    nextStep: 'Send the events in several deliveries.',
  });
}

function busy(): IntegrationError {
  return new IntegrationError('busy', { detail: 'More deliveries are waiting than can be taken.', retryAfterMs: RETRY_AFTER_MS });
}
