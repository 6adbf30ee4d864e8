import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { EventRunner } from './event-runner';
import { ClaimedEvents } from './claimed-events';
import { HandlerRegistry } from './handler.registry';
import type { ClaimedEvent } from './claimed-event';
import type { DirectClaim, NewDelivery } from '../inbox/inbox-insert';
import { PROCESSING_RULES, type ProcessingRules } from './processor-options';
import { SMALL_BATCH, groupByOwner } from './small-batch';

/** What is about to be stored, claimed and run. */
export interface DirectRun extends DirectClaim {
  readonly deliveries: ReadonlySet<NewDelivery>;
  readonly sources: readonly string[];
}

/**
 * Where there is no backlog, an event need not be looked for: it is claimed in the commit that stores it, and runs as soon as its
 * delivery is answered. Bounded, and one run at a time for a source, so that who floods leaves room for others; what finds no room
 * is left to the lanes. Where the process dies on the way the claim ends with its lease, as in a lane.
 */
@Injectable()
export class DirectProcessing implements BeforeApplicationShutdown {
  private readonly logger = new Logger('webhooks');
  private readonly sources = new Set<string>();
  private readonly runs = new Set<DirectRun>();
  private closed = false;
  private paused = false;
  private idle: (() => void)[] = [];

  constructor(
    private readonly runner: EventRunner,
    private readonly handlers: HandlerRegistry,
    private readonly inWork: ClaimedEvents,
    @Inject(PROCESSING_RULES) private readonly options: ProcessingRules,
  ) {}

  /** Those of the deliveries, which have just come, that are to run at once. What is chosen is then given to `run` or to `release`. */
  choose(deliveries: readonly NewDelivery[]): DirectRun | undefined {
    if (!this.options.workers || this.closed || this.paused || this.runs.size >= this.options.directProcessing) return undefined;
    // A source with more than a few at once has a backlog: that is the lanes' work. What asks a provider waits elsewhere.
    const chosen = [...groupByOwner(deliveries, sourceOf)].filter(
      ([source, share]) => isSmallBatch(share) && !this.sources.has(source) && !share.some((delivery) => this.asksFirst(delivery)),
    );
    if (chosen.length === 0) return undefined;
    const taken = chosen.flatMap(([, share]) => share);
    const run: DirectRun = {
      deliveries: new Set(taken),
      sources: chosen.map(([source]) => source),
      owner: uuidv7(),
      leaseSeconds: this.options.leaseSeconds,
    };
    this.runs.add(run);
    for (const source of run.sources) this.sources.add(source);
    return run;
  }

  /** `events`: what was chosen and is new. Does not wait, never throws. */
  run(run: DirectRun, events: readonly ClaimedEvent[]): void {
    this.inWork
      .hold(events, () => this.runner.run(events))
      .catch((error: unknown) =>
        this.logger.warn(`Events wait for their lease to end: ${error instanceof Error ? error.message : String(error)}`),
      )
      .finally(() => this.release(run));
  }

  release(run: DirectRun): void {
    this.runs.delete(run);
    for (const source of run.sources) this.sources.delete(source);
    if (this.runs.size === 0) for (const tell of this.idle.splice(0)) tell();
  }

  /** Resolves when nothing runs; nothing begins before `resume`. */
  pause(): Promise<void> {
    this.paused = true;
    return this.onIdle();
  }

  resume(): void {
    this.paused = false;
  }

  beforeApplicationShutdown(): Promise<void> {
    this.closed = true;
    return this.onIdle();
  }

  private asksFirst({ provider, events }: NewDelivery): boolean {
    return events.some(({ type }) => this.handlers.asksFirst(provider, type));
  }

  private onIdle(): Promise<void> {
    return this.runs.size === 0 ? Promise.resolve() : new Promise((resolve) => this.idle.push(resolve));
  }
}

function isSmallBatch(deliveries: readonly NewDelivery[]): boolean {
  return deliveries.reduce((sum, { events }) => sum + events.length, 0) <= SMALL_BATCH;
}

/** Whose tenant it is will only be known when it is stored. All events of a delivery come from one sender. */
function sourceOf({ provider, events: [first] }: NewDelivery): string {
  return `${provider}/${first?.connectionId ?? first?.routingKey ?? ''}`;
}
