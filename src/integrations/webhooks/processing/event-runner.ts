import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { withDeadline } from '../../../deadline';
import { IntegrationError } from '../../../errors';
import { IntegrationEvents } from '../../connections';
import { GovernedHttp } from '../../outbound';
import { handlerEventOf, type ClaimedEvent } from './claimed-event';
import { EffectRunner, HandlerFailure, PreparedTooEarly, type Prepared } from './effect-runner';
import { EventClaims } from './event-claims';
import { reasonOf } from './failure-reason';
import { HandlerRegistry } from './handler.registry';
import { readMark } from './object-mark';
import { PROCESSING_RULES, retryDelayMs, type ProcessingRules } from './processor-options';
import { settledEvents } from '../webhook-metrics';
import { DeadlineError } from './deadline-watch';

const NOTHING_PREPARED: ReadonlyMap<string, Prepared> = new Map();
/** How often the provider is asked again because the object moved meanwhile. */
const MAX_PREPARES = 3;
/** After so many culprits in one batch the rest is run one by one. */
const MAX_CULPRITS = 3;

/** Runs claimed events and sees to it that what fails takes nobody with it. */
@Injectable()
export class EventRunner {
  private readonly logger = new Logger('webhooks');

  constructor(
    private readonly claims: EventClaims,
    private readonly effects: EffectRunner,
    private readonly handlers: HandlerRegistry,
    private readonly events: IntegrationEvents,
    private readonly http: GovernedHttp,
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PROCESSING_RULES) private readonly options: ProcessingRules,
  ) {}

  /** Whether one of the event's handlers asks the provider before it takes effect. */
  hasToPrepare({ connection, provider, type }: ClaimedEvent): boolean {
    return connection !== undefined && this.handlers.asksFirst(provider, type);
  }

  /**
   * Events of one claim in one transaction. Where a handler fails, its event is put aside and the others go on without it.
   * @throws IntegrationError `storage_unavailable`: the events are given back, or their lease ends
   */
  async run(events: readonly ClaimedEvent[], prepared = NOTHING_PREPARED): Promise<void> {
    let rest = events;
    for (let culprits = 0; rest.length > 0; culprits++) {
      if (culprits === MAX_CULPRITS && rest.length > 1) return this.runOneByOne(rest, prepared);
      try {
        settledEvents.inc({ outcome: 'completed', provider: providerOf(rest) }, await this.effects.run(rest, prepared));
        return;
      } catch (error) {
        if (error instanceof HandlerFailure) {
          await this.fail(error.event, error.cause);
          rest = rest.filter((event) => event !== error.event);
        } else if (error instanceof PreparedTooEarly) {
          throw error;
        } else if (error instanceof IntegrationError && error.code === 'storage_unavailable') {
          await this.claims.release(rest).catch(() => undefined); // no database to tell: the lease ends by itself
          throw error;
        } else if (rest.length === 1) {
          for (const event of rest) await this.fail(event, error);
          return;
        } else return this.runOneByOne(rest, prepared); // the commit failed: it does not say whose fault it was
      }
    }
  }

  /** Asks the provider outside of any transaction, then runs. When `stop` is aborted the event is given back. */
  async prepareAndRun(event: ClaimedEvent, stop: AbortSignal): Promise<void> {
    for (let tries = 1; ; tries++) {
      let prepared: Prepared;
      try {
        const mark = await readMark(this.dataSource, event);
        prepared = { mark, results: await this.prepare(event, stop) };
      } catch (error) {
        return stop.aborted ? this.claims.release([event]) : this.fail(event, error);
      }
      try {
        return await this.run([event], new Map([[event.id, prepared]]));
      } catch (error) {
        if (!(error instanceof PreparedTooEarly)) throw error;
        if (tries === MAX_PREPARES) return this.fail(event, error);
      }
    }
  }

  /** Tells that an event is dead. */
  markDead(event: ClaimedEvent, reason: string): void {
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

  private async runOneByOne(events: readonly ClaimedEvent[], prepared: ReadonlyMap<string, Prepared>): Promise<void> {
    for (const event of events) await this.run([event], prepared);
  }

  private async prepare(event: ClaimedEvent, stop: AbortSignal): Promise<unknown[]> {
    stop.throwIfAborted();
    const { connection } = event;
    const given = handlerEventOf(event);
    const results: unknown[] = [];
    for (const { name, handler } of this.handlers.handlersOf(event.provider, event.type)) {
      if (!connection || !handler.prepare) results.push(undefined);
      else {
        const { prepareTimeoutMs } = this.options;
        const work = (signal: AbortSignal) => {
          const options = { signal, deadlineMs: prepareTimeoutMs, operation: `webhook.${event.type}` };
          return Promise.resolve(handler.prepare?.(given, { connection, fetch: this.http.fetchFor(connection, options), signal }));
        };
        results.push(
          await withDeadline(this.clock, prepareTimeoutMs, work, {
            stop,
            error: () => new DeadlineError(`The handler ${name}`, prepareTimeoutMs),
          }),
        );
      }
    }
    return results;
  }

  private async fail(event: ClaimedEvent, error: unknown): Promise<void> {
    const reason = reasonOf(error);
    const waitMs = retryDelayMs(event.attempts, this.options, reason.retryAfterMs);
    const outcome = await this.claims.fail(event, reason, this.options.maxAttempts, waitMs);
    if (outcome === 'dead') this.markDead(event, reason.message);
    if (outcome !== 'failed') return;
    settledEvents.inc({ outcome: 'failed', provider: event.provider });
    this.logger.warn(`An event of ${event.provider} (${event.type}, ${event.id}) failed, attempt ${event.attempts}: ${reason.message}`);
  }
}

/** Batches are mixed; the metric names the first one's provider where all are of one, else `several`. */
function providerOf(events: readonly ClaimedEvent[]): string {
  const provider = events[0]?.provider ?? '';
  return events.every((event) => event.provider === provider) ? provider : 'several';
}
