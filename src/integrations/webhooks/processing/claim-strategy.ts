import { Inject, Injectable } from '@nestjs/common';
import { CLOCK, type Clock } from '../../../clock';
import type { Claim, ClaimRequest, Waiting } from '../../jobs';
import type { ClaimedEvent } from './claimed-event';
import { EventClaims } from './event-claims';
import { eventJob, inParts, tenantOf, type EventJob } from './event-job';
import { EventOutcomes } from './event-outcomes';
import { HandlerRegistry } from './handler.registry';
import { PROCESSING_RULES, type ProcessingRules } from './processing-options';

/** Events of dead workers that are run in a row before fresh ones get their turn. */
const TAKEOVERS_IN_A_ROW = 100;
/** So often a worker died with an event before its asking a provider may hold up everything else. */
const DEATHS_TO_ASK_ALONE = 2;

export interface EventClaim extends Claim<EventJob> {
  /** Claimed as well, and to be handed to the worker: what asks a provider first. */
  readonly asking: readonly EventJob[];
}

const NOTHING: EventClaim = { jobs: [], asking: [], more: false };

/**
 * What a claim takes: the same share of each tenant, one place of the process kept free of each tenant's backlog, and events of workers
 * that died one at a time, with nothing beside them. One claim is one job.
 */
@Injectable()
export class ClaimStrategy {
  private nextTakeoverAt = 0;
  private takeovers = 0;
  private takingOver = false;

  constructor(
    private readonly claims: EventClaims,
    private readonly handlers: HandlerRegistry,
    private readonly outcomes: EventOutcomes,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PROCESSING_RULES) private readonly rules: ProcessingRules,
  ) {}

  /** Whether an event of a dead worker is in work here, or waits for what is: nothing may begin beside it. */
  get takesOver(): boolean {
    return this.takingOver;
  }

  waiting(): Promise<Waiting> {
    return this.claims.waiting();
  }

  async claim({ held, room, newLease }: ClaimRequest<EventJob>): Promise<EventClaim> {
    // Who waits for a provider is in nobody's way.
    const [asking, atWork] = [held.filter(({ kind }) => kind === 'asking'), held.filter(({ kind }) => kind !== 'asking')];
    const ranks = ranksAfter(asking);
    const taken: ClaimedEvent[] = [];
    if (await this.isBlocked(atWork)) return NOTHING;
    const orphan = atWork.length === 0 ? await this.takeOver(taken, newLease) : undefined;
    if (orphan) return { jobs: [orphan], asking: taken.map((event) => askingJob(event, ranks)), more: false };

    const { events, complete } = await this.claims.due({
      limit: this.rules.batchSize,
      lease: newLease(),
      leaseSeconds: this.rules.leaseSeconds,
      busyTenants: this.busyTenants(atWork),
      busyKinds: asking.length > 2 * this.rules.preparing ? this.handlers.preparingKinds() : [],
    });
    const slow = events.filter((event) => this.handlers.hasToAsk(event));
    const quick = events.filter((event) => !slow.includes(event));
    const owner = quick[0]?.leaseOwner;
    return {
      jobs: owner === undefined ? [] : [eventJob('batch', owner, inParts(quick, this.rules.batchSize))],
      asking: [...taken, ...slow].map((event) => askingJob(event, ranks)),
      more: this.hasMore(events.length, quick.length, complete, room),
    };
  }

  /** Gives back what a job has not done. The attempts do not count. */
  release({ lease, left }: EventJob, waitMs = 0): Promise<void> {
    return this.claims.release(String(lease), left.flat(), waitMs);
  }

  endLeases(alive: readonly string[]): Promise<void> {
    return this.claims.endLeases(alive);
  }

  /** @returns jobs that are not ours any more */
  async extend(jobs: readonly EventJob[], leaseSeconds: number): Promise<readonly EventJob[]> {
    const ours = await this.claims.extend([...new Set(jobs.map(({ lease }) => String(lease)))], leaseSeconds);
    return jobs.filter(({ lease }) => !ours.has(String(lease)));
  }

  /** With a backlog another place helps, though not the last one; otherwise the next claim is made when this job has ended. */
  private hasMore(claimed: number, quick: number, complete: boolean, room: number): boolean {
    if (claimed === 0) return !complete;
    return quick === 0 || (claimed * 2 > this.rules.batchSize && room > 2);
  }

  /** Whether an orphan is in work, or waits for what is: whoever ends last makes room for it. */
  private async isBlocked(atWork: readonly EventJob[]): Promise<boolean> {
    if (atWork.some(({ kind }) => kind === 'orphan')) return true;
    if (atWork.length === 0 || !this.takeoverIsDue) return false;
    this.takingOver = await this.claims.anyExpired();
    if (!this.takingOver) this.postponeTakeover();
    return this.takingOver;
  }

  /**
   * The next event of a worker that died. What killed one worker must not be charged to others a second time, so it runs alone; only
   * where it asks a provider first, and has killed no more than one worker, it goes to those that ask.
   */
  private async takeOver(asking: ClaimedEvent[], newLease: () => string): Promise<EventJob | undefined> {
    this.takingOver = false;
    while (this.takeoverIsDue && this.takeovers++ < TAKEOVERS_IN_A_ROW) {
      const found = await this.claims.expired(newLease(), this.rules.leaseSeconds, this.rules.maxAttempts);
      if (!found) {
        this.postponeTakeover();
        break;
      }
      if (found.dead) this.outcomes.dead(found.event, 'the process stopped each time it was working on this event');
      else if (this.handlers.hasToAsk(found.event) && found.event.attempts <= DEATHS_TO_ASK_ALONE) asking.push(found.event);
      else {
        this.takingOver = true;
        return eventJob('orphan', found.event.leaseOwner, [[found.event]]);
      }
    }
    this.takeovers = 0;
    return undefined;
  }

  private get takeoverIsDue(): boolean {
    return this.clock.now() >= this.nextTakeoverAt;
  }

  private postponeTakeover(): void {
    this.nextTakeoverAt = this.clock.now() + this.rules.takeoverEveryMs;
  }

  /** Tenants that as many jobs of the loop work for as may. */
  private busyTenants(atWork: readonly EventJob[]): string[] {
    const jobsOf = new Map<string, number>();
    for (const { kind, left } of atWork) {
      if (kind !== 'batch') continue;
      for (const tenant of new Set(left.flat().map(tenantOf))) jobsOf.set(tenant, (jobsOf.get(tenant) ?? 0) + 1);
    }
    const most = Math.max(1, this.rules.concurrency - 1);
    return [...jobsOf].filter(([, jobs]) => jobs >= most).map(([tenant]) => tenant);
  }
}

/** The fewer a tenant has that wait to ask, the sooner its turn. */
function ranksAfter(asking: readonly EventJob[]): Map<string, number> {
  const ranks = new Map<string, number>();
  for (const event of asking.flatMap(({ left }) => left.flat())) ranks.set(tenantOf(event), (ranks.get(tenantOf(event)) ?? 0) + 1);
  return ranks;
}

function askingJob(event: ClaimedEvent, ranks: Map<string, number>): EventJob {
  const rank = ranks.get(tenantOf(event)) ?? 0;
  ranks.set(tenantOf(event), rank + 1);
  return eventJob('asking', event.leaseOwner, [[event]], rank);
}
