import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import PQueue from 'p-queue';
import { CLOCK, type Clock } from '../../../clock';
import { IntegrationError } from '../../../errors';
import { WakeUp } from '../../jobs';
import { DirectProcessing } from './direct-processing';
import type { ClaimedEvent } from './claimed-event';
import { EventClaims, type DueClaim } from './event-claims';
import { EventRunner } from './event-runner';
import { ClaimedEvents } from './claimed-events';
import { HandlerRegistry } from './handler.registry';
import { PROCESSING_RULES, type ProcessingRules } from './processor-options';
import { SMALL_BATCH, groupByOwner } from './small-batch';

/** Events of dead workers that are run in a row before fresh ones get their turn. */
const TAKEOVERS_IN_A_ROW = 100;

/** Works off one claim. */
class Lane {}

/** Events that a lane is working on, of these tenants. */
interface Hold {
  readonly lane: Lane;
  readonly tenants: readonly string[];
}

/** Works off the inbox: claims, hands out, keeps the leases of what is in work. */
@Injectable()
export class WebhookProcessor implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('webhooks');
  /** What has to ask a provider first: its waiting holds up nobody else. */
  private readonly preparing: PQueue;
  private readonly preparingOf = new Map<string, number>();
  private readonly stopping = new AbortController();
  private working: readonly Hold[] = [];
  private claiming: Promise<unknown> = Promise.resolve();
  private active = 0;
  private takingOver = false;
  private nextTakeoverAt = 0;
  private heartbeat?: NodeJS.Timeout;

  constructor(
    private readonly claims: EventClaims,
    private readonly runner: EventRunner,
    private readonly directProcessing: DirectProcessing,
    private readonly inWork: ClaimedEvents,
    private readonly handlers: HandlerRegistry,
    private readonly wakeUp: WakeUp,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PROCESSING_RULES) private readonly options: ProcessingRules,
  ) {
    this.preparing = new PQueue({ concurrency: options.preparing });
  }

  onApplicationBootstrap(): void {
    this.handlers.discover();
    if (!this.options.workers) return;
    this.wakeUp.listen('webhooks', (signal) => this.work(signal), { lanes: this.options.lanes });
    this.heartbeat = setInterval(() => void this.prolong(), (this.options.leaseSeconds * 1_000) / 4).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new IntegrationError('shutting_down'));
    await this.preparing.onIdle();
    clearInterval(this.heartbeat);
  }

  /** Events of this process that are claimed and not settled. */
  get inFlight(): number {
    return this.inWork.size;
  }

  /** One claim and what comes of it. Lanes run this side by side; one of them is kept from each tenant, so that it is free for others. */
  async work(signal: AbortSignal): Promise<'more' | 'idle'> {
    // Who takes over goes on with a claim of its own, so nothing is missed.
    if (this.takingOver) return 'idle';
    if (this.clock.now() >= this.nextTakeoverAt) {
      // Others are at work: whoever ends last takes over, alone, and rings for the rest.
      if (this.active > 0 && (await this.hasOrphans()) && (this.active > 0 || this.takingOver)) return 'idle';
      if (this.active === 0) await this.takeOver(signal);
    }
    this.active++;
    const lane = new Lane();
    try {
      const { events, complete } = await this.claim(lane);
      const settled = this.settle(events, lane);
      // With a backlog another lane helps.
      if (events.length * 2 > this.options.batchSize && this.active < this.options.lanes - 1) this.wakeUp.wake('webhooks');
      await settled;
      return events.length > 0 || !complete ? 'more' : 'idle';
    } finally {
      this.active--;
    }
  }

  /** One after another, so that each knows whom the others work for: two at once could both be the one too many for a tenant. */
  private claim(lane: Lane): Promise<DueClaim> {
    const claim = this.claiming.then(() =>
      this.claims.due({
        limit: this.options.batchSize,
        leaseSeconds: this.options.leaseSeconds,
        busyTenants: this.busyTenants(lane),
        busyKinds: this.preparing.size > this.options.preparing ? this.handlers.preparingKinds() : [],
      }),
    );
    this.claiming = claim.catch(() => undefined);
    return claim;
  }

  /** Tenants that as many other lanes work for as may. */
  private busyTenants(lane: Lane): string[] {
    const lanesOf = new Map<string, Set<Lane>>();
    for (const hold of this.working) {
      if (hold.lane === lane) continue;
      for (const tenant of hold.tenants) lanesOf.set(tenant, (lanesOf.get(tenant) ?? new Set()).add(hold.lane));
    }
    const most = Math.max(1, this.options.lanes - 1);
    return [...lanesOf].filter(([, lanes]) => lanes.size >= most).map(([tenant]) => tenant);
  }

  private async settle(events: readonly ClaimedEvent[], lane: Lane): Promise<void> {
    const slow = events.filter((event) => this.runner.hasToPrepare(event));
    for (const event of slow) this.prepareLater(event);
    const quick = events.filter((event) => !slow.includes(event));
    if (quick.length === 0) return;

    // One event of a tenant does not wait for the hundred of another, and what failed before does not hold up what did not.
    const again = quick.filter(({ attempts }) => attempts > 1);
    const { few, many } = this.byShare(quick.filter(({ attempts }) => attempts === 1));
    const parts = [few, ...many, ...again.map((event) => [event])].map((part) => ({ part, lane, tenants: tenantsOf(part) }));
    this.working = [...this.working, ...parts];
    try {
      await this.inWork.hold(quick, async () => {
        for (const hold of parts) {
          await this.runner.run(hold.part);
          this.working = this.working.filter((other) => other !== hold);
        }
      });
    } finally {
      this.working = this.working.filter((hold) => !parts.some((part) => part === hold));
    }
  }

  /** Those of tenants with few events together; those of each tenant with many by themselves, the fewest first. */
  private byShare(events: readonly ClaimedEvent[]): { few: ClaimedEvent[]; many: ClaimedEvent[][] } {
    const all = [...groupByOwner(events, tenantOf).values()].sort((a, b) => a.length - b.length);
    const isSmallBatch = ({ length }: ClaimedEvent[]) => length <= Math.min(SMALL_BATCH, this.options.batchSize / 4);
    return { few: all.filter(isSmallBatch).flat(), many: all.filter((share) => !isSmallBatch(share)) };
  }

  /** The fewer a tenant has in the queue, the sooner its turn. */
  private prepareLater(event: ClaimedEvent): void {
    const tenant = tenantOf(event);
    const ahead = this.preparingOf.get(tenant) ?? 0;
    this.preparingOf.set(tenant, ahead + 1);
    const run = async () => {
      try {
        await this.runner.prepareAndRun(event, this.stopping.signal);
      } catch (error) {
        this.logger.warn(`An event waits for its lease to end: ${error instanceof Error ? error.message : String(error)}`);
      } finally {
        const left = (this.preparingOf.get(tenant) ?? 1) - 1;
        if (left > 0) this.preparingOf.set(tenant, left);
        else this.preparingOf.delete(tenant);
      }
    };
    void this.inWork.hold([event], () => this.preparing.add(run, { priority: -ahead }));
  }

  private async hasOrphans(): Promise<boolean> {
    const found = await this.claims.anyExpired();
    if (!found) this.nextTakeoverAt = this.clock.now() + this.options.takeoverEveryMs;
    return found;
  }

  /** Events of workers that died, alone in this process: what killed one worker must not be charged to others a second time. */
  private async takeOver(signal: AbortSignal): Promise<void> {
    this.takingOver = true;
    let foundAny = false;
    try {
      for (let count = 0; count < TAKEOVERS_IN_A_ROW && !signal.aborted; count++) {
        const found = await this.claims.expired(this.options.leaseSeconds, this.options.maxAttempts);
        if (!found) {
          this.nextTakeoverAt = this.clock.now() + this.options.takeoverEveryMs;
          return;
        }
        foundAny = true;
        await this.directProcessing.pause();
        const { event, dead } = found;
        if (dead) this.runner.markDead(event, 'the process stopped each time it was working on this event');
        else if (!this.runner.hasToPrepare(event)) await this.inWork.hold([event], () => this.runner.run([event]));
        // Waiting for a provider would hold up everything; only what killed a worker twice is worth that.
        else if (event.attempts > 2) await this.inWork.hold([event], () => this.runner.prepareAndRun(event, this.stopping.signal));
        else this.prepareLater(event);
      }
    } finally {
      this.takingOver = false;
      this.directProcessing.resume();
      if (foundAny) this.wakeUp.wake('webhooks'); // for the lanes that made room
    }
  }

  private async prolong(): Promise<void> {
    try {
      await this.claims.extend(this.inWork.owners, this.options.leaseSeconds);
    } catch (error) {
      // Without the database no effect can be committed either: others may take over.
      this.logger.warn(`Leases could not be prolonged: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function tenantOf({ tenant }: ClaimedEvent): string {
  return tenant ?? '';
}

function tenantsOf(events: readonly ClaimedEvent[]): string[] {
  return [...new Set(events.map(tenantOf))];
}
