import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { isStorageUnavailable } from '../../../database';
import { withDeadline } from '../../../deadline';
import { ConnectionSeals, GovernedHttp } from '../../connections';
import { handlerEventOf, type ClaimedEvent } from './claimed-event';
import { DeadlineError } from './deadline-error';
import { EffectRunner, HandlerFailure, PreparedTooEarly, type Prepared } from './effect-runner';
import { EventOutcomes } from './event-outcomes';
import { HandlerRegistry } from './handler.registry';
import { readMark } from './object-mark';
import { PROCESSING_RULES, type ProcessingRules } from './processing-options';

const NOTHING_PREPARED: ReadonlyMap<string, Prepared> = new Map();
/** How often the provider is asked again because the object moved meanwhile. */
const MAX_PREPARES = 3;
/** After so many culprits in one batch the rest is run one by one. */
const MAX_CULPRITS = 3;

/** Runs claimed events and sees to it that what fails takes nobody with it. */
@Injectable()
export class EventRunner {
  constructor(
    private readonly outcomes: EventOutcomes,
    private readonly effects: EffectRunner,
    private readonly handlers: HandlerRegistry,
    private readonly http: GovernedHttp,
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PROCESSING_RULES) private readonly rules: ProcessingRules,
    private readonly seals: ConnectionSeals,
  ) {}

  /**
   * Events of one claim in one transaction; one whose handlers ask its provider first comes alone. When the signal is aborted, what is
   * asked is cut off; a transaction that has begun goes on to its end.
   * @throws IntegrationError `storage_unavailable`; why the signal was aborted
   */
  async run(claimed: readonly ClaimedEvent[], signal: AbortSignal): Promise<void> {
    this.outcomes.begin(claimed);
    const events = await this.unaltered(claimed);
    const [event] = events;
    if (event && events.length === 1 && this.handlers.hasToAsk(event)) await this.askAndRun(event, signal);
    else await this.runTogether(events, NOTHING_PREPARED);
  }

  /** An event of a connection whose row was altered is tried again later: by then it may be restored. */
  private async unaltered(events: readonly ClaimedEvent[]): Promise<readonly ClaimedEvent[]> {
    const good: ClaimedEvent[] = [];
    for (const event of events) {
      try {
        if (event.seal) this.seals.check(event.seal);
        good.push(event);
      } catch (error) {
        await this.outcomes.failed(event, error);
      }
    }
    return good;
  }

  /** Where a handler fails, its event is put aside and the others go on without it. */
  private async runTogether(events: readonly ClaimedEvent[], prepared: ReadonlyMap<string, Prepared>): Promise<void> {
    let rest = events;
    for (let culprits = 0; rest.length > 0; culprits++) {
      if (culprits === MAX_CULPRITS && rest.length > 1) return this.runOneByOne(rest, prepared);
      try {
        return this.outcomes.completed(rest, await this.effects.run(rest, prepared));
      } catch (error) {
        if (error instanceof HandlerFailure) {
          await this.outcomes.failed(error.event, error.cause);
          rest = rest.filter((event) => event !== error.event);
        } else if (error instanceof PreparedTooEarly || isStorageUnavailable(error)) {
          throw error;
        } else if (rest.length === 1) {
          for (const event of rest) await this.outcomes.failed(event, error);
          return;
        } else return this.runOneByOne(rest, prepared); // the commit failed: it does not say whose fault it was
      }
    }
  }

  private async runOneByOne(events: readonly ClaimedEvent[], prepared: ReadonlyMap<string, Prepared>): Promise<void> {
    for (const event of events) await this.runTogether([event], prepared);
  }

  /** Asks the provider outside of any transaction, then runs. */
  private async askAndRun(event: ClaimedEvent, stop: AbortSignal): Promise<void> {
    for (let tries = 1; ; tries++) {
      let prepared: Prepared;
      try {
        const mark = await readMark(this.dataSource, event);
        prepared = { mark, results: await this.prepare(event, stop) };
      } catch (error) {
        stop.throwIfAborted();
        return this.outcomes.failed(event, error);
      }
      try {
        return await this.runTogether([event], new Map([[event.id, prepared]]));
      } catch (error) {
        if (!(error instanceof PreparedTooEarly)) throw error;
        if (tries === MAX_PREPARES) return this.outcomes.failed(event, error);
      }
    }
  }

  private async prepare(event: ClaimedEvent, stop: AbortSignal): Promise<unknown[]> {
    stop.throwIfAborted();
    const { connection } = event;
    const { prepareTimeoutMs: timeoutMs } = this.rules;
    const given = handlerEventOf(event);
    const results: unknown[] = [];
    for (const { name, handler } of this.handlers.handlersOf(event.provider, event.type)) {
      if (!handler[connection ? 'prepare' : 'prepareAlone']) results.push(undefined);
      else {
        const work = (signal: AbortSignal) => {
          if (!connection) return Promise.resolve(handler.prepareAlone?.(given, { signal }));
          const options = { signal, deadlineMs: timeoutMs, operation: `webhook.${event.type}` };
          return Promise.resolve(handler.prepare?.(given, { connection, fetch: this.http.fetchFor(connection, options), signal }));
        };
        const error = () => new DeadlineError(`The handler ${name}`, timeoutMs);
        results.push(await withDeadline(this.clock, timeoutMs, work, { stop, error }));
      }
    }
    return results;
  }
}
