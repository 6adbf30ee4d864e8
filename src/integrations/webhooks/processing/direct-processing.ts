import { Inject, Injectable } from '@nestjs/common';
import { JobEngine } from '../../jobs';
import type { DirectClaim, NewDelivery } from '../inbox/inbox-insert';
import { ClaimStrategy } from './claim-strategy';
import { groupByOwner, SMALL_BATCH } from './event-job';
import { HandlerRegistry } from './handler.registry';
import { PROCESSING_RULES, type ProcessingRules } from './processing-options';

/** What is about to be stored, claimed and run. */
export interface DirectRun extends DirectClaim {
  readonly deliveries: ReadonlySet<NewDelivery>;
  readonly sources: readonly string[];
}

/**
 * Where there is no backlog, an event need not be looked for: it is claimed in the commit that stores it, and runs as soon as its
 * delivery is answered, as a job like any other. Bounded, and one run at a time for a source, so that who floods leaves room for others;
 * what finds no room is left to the loop. Where the process dies on the way the claim ends with its lease, as any other.
 */
@Injectable()
export class DirectProcessing {
  private readonly sources = new Set<string>();
  private readonly runs = new Set<DirectRun>();

  constructor(
    private readonly strategy: ClaimStrategy,
    private readonly handlers: HandlerRegistry,
    private readonly engine: JobEngine,
    @Inject(PROCESSING_RULES) private readonly rules: ProcessingRules,
  ) {}

  /** Those of the deliveries, which have just come, that are to run at once. What is chosen is given to `release` when it has run. */
  choose(deliveries: readonly NewDelivery[]): DirectRun | undefined {
    if (!this.rules.workers || this.engine.stopping || this.strategy.takesOver) return undefined;
    if (this.runs.size >= this.rules.directProcessing) return undefined;
    // A source with more than a few at once has a backlog: that is the loop's work. What asks a provider waits elsewhere.
    const chosen = [...groupByOwner(deliveries, sourceOf)].filter(
      ([source, share]) => isSmallBatch(share) && !this.sources.has(source) && !share.some((delivery) => this.asksFirst(delivery)),
    );
    if (chosen.length === 0) return undefined;
    const taken = chosen.flatMap(([, share]) => share);
    const run: DirectRun = {
      deliveries: new Set(taken),
      sources: chosen.map(([source]) => source),
      owner: this.engine.newLease(),
      leaseSeconds: this.rules.leaseSeconds,
    };
    this.runs.add(run);
    for (const source of run.sources) this.sources.add(source);
    return run;
  }

  release(run: DirectRun): void {
    this.runs.delete(run);
    for (const source of run.sources) this.sources.delete(source);
  }

  private asksFirst({ provider, events }: NewDelivery): boolean {
    return events.some(({ type }) => this.handlers.asksFirst(provider, type));
  }
}

function isSmallBatch(deliveries: readonly NewDelivery[]): boolean {
  return deliveries.reduce((sum, { events }) => sum + events.length, 0) <= SMALL_BATCH;
}

/** Whose tenant it is will only be known when it is stored. All events of a delivery come from one sender. */
function sourceOf({ provider, events: [first] }: NewDelivery): string {
  return `${provider}/${first?.connectionId ?? first?.routingKey ?? ''}`;
}
