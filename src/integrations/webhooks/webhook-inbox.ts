import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Counter } from 'prom-client';
import { isStorageUnavailable } from '../../database';
import { Slots } from '../../slots';
import type { RawDelivery } from '../contract';
import {
  JobEngine,
  type Claim,
  type ClaimRequest,
  type JobKind,
  type JobOptions,
  type JobWorker,
  type NextTry,
  type Waiting,
} from '../jobs';
import { DeliveryReader } from './inbox/delivery-reader';
import { ImmediateAnswers } from './inbox/immediate-answers';
import { InboxWriter } from './inbox/inbox-writer';
import { ClaimStrategy } from './processing/claim-strategy';
import type { ClaimedEvent } from './processing/claimed-event';
import { eventJob, type EventJob } from './processing/event-job';
import { EventRunner } from './processing/event-runner';
import { HandlerRegistry } from './processing/handler.registry';
import { PROCESSING_RULES, retryBackOff, type ProcessingRules } from './processing/processing-options';
import { acceptedDeliveries } from './webhook-metrics';

/** The answer to a delivery that was taken. */
export interface InboxAnswer {
  readonly status: 200;
  readonly body?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A delivery from its bytes to its effect, in the order in which it happens: `receive` in the request, which is answered when the events
 * are stored; behind it the events are a kind of job, which are claimed (`runStored` with the same commit, or `claim`) and `run`.
 */
@Injectable()
export class WebhookInbox implements JobKind<EventJob>, OnApplicationBootstrap {
  readonly topic = 'webhooks';
  readonly options: JobOptions;
  worker?: JobWorker<EventJob>;
  /** What asks a provider first waits beside the loop and holds up nobody else. */
  private readonly asking: Slots;
  private readonly counters = new Map<string, Counter.Internal>();

  constructor(
    private readonly reader: DeliveryReader,
    private readonly writer: InboxWriter,
    private readonly answers: ImmediateAnswers,
    private readonly strategy: ClaimStrategy,
    private readonly runner: EventRunner,
    private readonly handlers: HandlerRegistry,
    private readonly engine: JobEngine,
    @Inject(PROCESSING_RULES) rules: ProcessingRules,
  ) {
    this.options = { concurrency: rules.concurrency, leaseSeconds: rules.leaseSeconds, backOff: retryBackOff(rules) };
    this.asking = new Slots(rules.preparing);
  }

  onApplicationBootstrap(): void {
    this.handlers.discover();
    this.writer.onClaimed((owner, events) => this.runStored(owner, events));
    this.worker = this.engine.start(this);
  }

  /**
   * Verified over the raw bytes, read, stored, and only then answered.
   *
   * @param address last part of an address of one connection alone: then it is verified with that one's secret, and concerns nobody else
   * @throws IntegrationError `provider_unknown`; `not_found` for an address that is none; `signature_invalid` (the cause is counted, never told); `payload_too_large` for what can
   * never be stored; `storage_unavailable`, `busy` or `provider_unavailable`, all with a time to come back
   */
  async receive(providerKey: string, delivery: RawDelivery, address?: string): Promise<InboxAnswer> {
    const known = this.reader.sender(providerKey, delivery);
    const sender = address === undefined ? known : await this.reader.senderAt(known, address);
    const asked = sender.webhooks.challenge?.(delivery);
    if (asked) return { status: 200, ...asked };
    const given = this.reader.verify(sender, delivery);
    const verified = given instanceof Promise ? await given : given; // who waits without need makes the others wait as well
    const { taken, reply, asksForAnswer } = this.reader.read(sender, delivery, verified);
    // One INSERT and one COMMIT for all that come in the same moments. Then `runStored`, or workers are woken, who `claim`.
    if (taken.events.length > 0) await this.writer.store(taken);
    this.accepted(sender.key).inc();
    return { status: 200, ...(asksForAnswer ? await this.answers.ask(taken) : reply) };
  }

  /** Direct processing: there is no backlog, so the commit that stored the events has claimed them too. */
  private async runStored(owner: string, events: readonly ClaimedEvent[]): Promise<void> {
    if (events.length === 0) return; // all of them were known
    await this.worker?.run(eventJob('direct', owner, [events]));
    if (this.strategy.takesOver) void this.worker?.look(); // it waits until nothing is in work
  }

  /** The same share of each tenant; nothing beside an event whose worker died. */
  async claim(request: ClaimRequest<EventJob>): Promise<Claim<EventJob>> {
    const { jobs, asking, more } = await this.strategy.claim(request);
    for (const job of asking) void this.worker?.run(job);
    return { jobs, more };
  }

  *traces({ left }: EventJob): Iterable<string | undefined> {
    for (const part of left) for (const { payload } of part) yield payload.traceparent;
  }

  waiting(): Promise<Waiting> {
    return this.strategy.waiting();
  }

  endLeases(alive: readonly string[]): Promise<void> {
    return this.strategy.endLeases(alive);
  }

  /** Each part in one transaction: `completed` under our lease and the marks of its objects, then all that its handlers do. */
  async run(job: EventJob, signal: AbortSignal): Promise<void> {
    for (const part of job.left) {
      signal.throwIfAborted(); // the rest is for whoever claims it next
      const work = () => this.runner.run(part, signal);
      await (job.kind === 'asking' ? this.asking.run(work, job.rank) : work());
      job.left = job.left.slice(1);
    }
  }

  /** What handlers fail at is stored with its event. Where the database was away the rest is given back, or waits for its lease to end. */
  async failed(job: EventJob, error: unknown, next: NextTry): Promise<void> {
    if (!isStorageUnavailable(error) || next === 'dead') throw error;
    await this.strategy.release(job, next.waitMs);
  }

  release(job: EventJob): Promise<void> {
    return this.strategy.release(job);
  }

  extend(jobs: readonly EventJob[], leaseSeconds: number): Promise<readonly EventJob[]> {
    return this.strategy.extend(jobs, leaseSeconds);
  }

  /** Looked up once: to find a counter by its labels costs more than to count. */
  private accepted(provider: string): Counter.Internal {
    let counter = this.counters.get(provider);
    if (!counter) this.counters.set(provider, (counter = acceptedDeliveries.labels(provider)));
    return counter;
  }
}
