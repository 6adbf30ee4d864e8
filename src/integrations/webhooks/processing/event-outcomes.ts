import { Inject, Injectable, Logger } from '@nestjs/common';
import { CLOCK, type Clock } from '../../../clock';
import { IntegrationEvents } from '../../connections';
import { nextTry } from '../../jobs';
import { effectSeconds, settledEvents } from '../webhook-metrics';
import type { ClaimedEvent } from './claimed-event';
import { EventClaims } from './event-claims';
import { reasonOf } from './failure-reason';
import { PROCESSING_RULES, retryBackOff, type ProcessingRules } from './processing-options';

/** What became of events: stored where that is not the effect's own transaction, counted and told. */
@Injectable()
export class EventOutcomes {
  private readonly logger = new Logger('webhooks');

  constructor(
    private readonly claims: EventClaims,
    private readonly events: IntegrationEvents,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PROCESSING_RULES) private readonly rules: ProcessingRules,
  ) {}

  /** @param count of them; the others were somebody else's by then */
  completed(events: readonly ClaimedEvent[], count: number): void {
    settledEvents.inc({ outcome: 'completed', provider: providerOf(events) }, count);
    // A clock apart from the one that received it may be behind.
    for (const { provider, receivedAt } of events)
      effectSeconds.observe({ provider }, Math.max(0, this.clock.now() - receivedAt.getTime()) / 1_000);
  }

  /** Stores that an event failed, under its lease. Whatever the error says, a later try may find it mended. */
  async failed(event: ClaimedEvent, error: unknown): Promise<void> {
    const reason = reasonOf(error);
    const options = { maxAttempts: this.rules.maxAttempts, backOff: retryBackOff(this.rules) };
    const outcome = await this.claims.fail(event, reason, nextTry(undefined, event.attempts, options, reason.retryAfterMs));
    if (outcome === 'dead') this.dead(event, reason.message);
    if (outcome !== 'failed') return;
    settledEvents.inc({ outcome: 'failed', provider: event.provider });
    this.logger.warn(`An event of ${event.provider} (${event.type}, ${event.id}) failed, attempt ${event.attempts}: ${reason.message}`);
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
