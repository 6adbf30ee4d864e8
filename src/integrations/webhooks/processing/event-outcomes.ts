import { Inject, Injectable, Logger } from '@nestjs/common';
import { hostname } from 'node:os';
import { CLOCK, type Clock } from '../../../clock';
import { IntegrationEvents } from '../../connections';
import { FigureCollector } from '../../figures';
import { nextTry } from '../../jobs';
import { effectSeconds, settledEvents } from '../webhook-metrics';
import type { ClaimedEvent } from './claimed-event';
import { EventClaims } from './event-claims';
import type { FailedAttempt } from '../webhook-event.entity';
import { reasonOf, type FailureReason } from './failure-reason';
import { PROCESSING_RULES, retryBackOff, type ProcessingRules } from './processing-options';

/** As people find the process: its host, or its container, and its number there. */
const WORKER = `${hostname()}/${process.pid}`;

/** What became of events: stored where that is not the effect's own transaction, counted and told. */
@Injectable()
export class EventOutcomes {
  private readonly logger = new Logger('webhooks');
  private readonly begun = new WeakMap<ClaimedEvent, number>();

  constructor(
    private readonly claims: EventClaims,
    private readonly events: IntegrationEvents,
    private readonly figures: FigureCollector,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PROCESSING_RULES) private readonly rules: ProcessingRules,
  ) {}

  /** From now on they are in work. */
  begin(events: readonly ClaimedEvent[]): void {
    for (const event of events) this.begun.set(event, this.clock.now());
  }

  /** @param count of them; the others were somebody else's by then */
  completed(events: readonly ClaimedEvent[], count: number): void {
    settledEvents.inc({ outcome: 'completed', provider: providerOf(events) }, count);
    const at = this.clock.now();
    for (const [index, { provider, tenant, receivedAt }] of events.entries()) {
      const lagMs = Math.max(0, at - receivedAt.getTime()); // a clock apart from the one that received it may be behind
      effectSeconds.observe({ provider }, lagMs / 1_000);
      if (index < count) this.figures.event({ at, provider, tenant: tenant ?? undefined }, lagMs);
    }
  }

  /** Stores that an event failed, under its lease. Whatever the error says, a later try may find it mended. */
  async failed(event: ClaimedEvent, error: unknown): Promise<void> {
    const reason = reasonOf(error);
    const options = { maxAttempts: this.rules.maxAttempts, backOff: retryBackOff(this.rules) };
    const next = nextTry(undefined, event.attempts, options, reason.retryAfterMs);
    const outcome = await this.claims.fail(event, reason, next, this.attemptOf(event, reason));
    if (outcome) this.figures.eventFailed({ at: this.clock.now(), provider: event.provider, tenant: event.tenant ?? undefined });
    if (outcome === 'dead') this.dead(event, reason.message);
    if (outcome !== 'failed') return;
    settledEvents.inc({ outcome: 'failed', provider: event.provider });
    this.logger.warn(`An event of ${event.provider} (${event.type}, ${event.id}) failed, attempt ${event.attempts}: ${reason.message}`);
  }

  private attemptOf(event: ClaimedEvent, { code, message: error }: FailureReason): FailedAttempt {
    const now = this.clock.now();
    const durationMs = Math.max(0, now - (this.begun.get(event) ?? now));
    return { at: new Date(now).toISOString(), attempt: event.attempts, durationMs, worker: WORKER, code, error };
  }

  /** Tells that an event is dead. */
  dead(event: ClaimedEvent, reason: string): void {
    settledEvents.inc({ outcome: 'dead', provider: event.provider });
    this.logger.error(`An event of ${event.provider} (${event.type}, ${event.id}) is dead after ${event.attempts} attempts: ${reason}`);
    this.events.emit({
      type: 'webhook.dead',
      tenant: event.tenant ?? '',
      provider: event.provider,
      connectionId: event.connection?.id ?? '',
      at: new Date(this.clock.now()),
      data: { id: event.id, type: event.type, attempts: event.attempts, reason },
    });
  }
}

/** Batches are mixed; the metric names the first one's provider where all are of one, else `several`. */
function providerOf(events: readonly ClaimedEvent[]): string {
  const provider = events[0]?.provider ?? '';
  return events.every((event) => event.provider === provider) ? provider : 'several';
}
