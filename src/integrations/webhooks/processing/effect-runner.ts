import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { inTransaction, isRetryableTransactionError, prepared } from '../../../database';
import { inSpanOf } from '../../../tracing';
import type { ConnectionStatus } from '../../connections';
import { MARK_COMPLETED } from './claim.queries';
import { handlerEventOf, type ClaimedEvent } from './claimed-event';
import { DeadlineWatch } from './deadline-watch';
import { SMALL_BATCH } from './event-job';
import { HandlerContexts, type AfterCommit } from './handler-contexts';
import { HandlerRegistry } from './handler.registry';
import { inSafeOrder, isSameMark, isStale, isTied, type ObjectMark } from './object-mark';
import { PROCESSING_RULES, type ProcessingRules } from './processing-options';

/** What the handlers of an event got to know before the transaction. */
export interface Prepared {
  /** In the order of the handlers. */
  readonly results: readonly unknown[];
  /** Of the object, from before they asked. */
  readonly mark: ObjectMark | undefined;
}

/** Another event of the object took effect after this one's handlers had asked the provider: what they know may be old. */
export class PreparedTooEarly extends Error {
  override readonly name = 'PreparedTooEarly';
  constructor() {
    super('The object was changed again while it was being read.');
  }
}

/** Thrown out of the transaction: which event's handler it was that failed. */
export class HandlerFailure extends Error {
  override readonly name = 'HandlerFailure';
  constructor(
    readonly event: ClaimedEvent,
    override readonly cause: unknown,
  ) {
    super('a handler failed');
  }
}

/** An event that was ours, as it was marked. */
interface MarkedRow {
  id: string;
  connection_status: ConnectionStatus | null;
  before_version: string | null;
  before_event_id: string | null;
}

interface Run {
  readonly manager: EntityManager;
  readonly watch: DeadlineWatch;
  readonly stale: boolean;
  readonly tied: boolean;
  readonly results: readonly unknown[];
  readonly afterCommit: AfterCommit[];
}

/** Runs handlers: what they do and `completed` are one transaction, so that a crash between the two cannot be. */
@Injectable()
export class EffectRunner {
  constructor(
    private readonly dataSource: DataSource,
    private readonly handlers: HandlerRegistry,
    private readonly contexts: HandlerContexts,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PROCESSING_RULES) private readonly rules: ProcessingRules,
  ) {}

  /**
   * All of these events, or none. They are of one claim.
   * @returns how many were completed; fewer than given where others took them over meanwhile
   * @throws HandlerFailure naming the event whose handler failed; PreparedTooEarly; whatever the database says
   */
  async run(events: readonly ClaimedEvent[], preparedOf: ReadonlyMap<string, Prepared>): Promise<number> {
    const [first] = events;
    if (!first) return 0;
    let afterCommit: AfterCommit[] = [];
    let watch: DeadlineWatch | undefined;
    const work = async (manager: EntityManager) => {
      afterCommit = []; // a repeated transaction starts anew
      watch?.stop();
      watch = new DeadlineWatch(this.clock, this.rules.handleTimeoutMs);
      const rows = await this.mark(manager, events, first.leaseOwner);
      const marks = new Map(rows.map((row) => [row.id, row]));
      for (const event of inSafeOrder(events)) {
        const mark = marks.get(event.id);
        // What belongs to a connection that has been disconnected meanwhile is done with.
        if (!mark || mark.connection_status === 'disconnected') continue;
        const known = preparedOf.get(event.id);
        const before = markBefore(mark);
        const stale = isStale(event, before, this.handlers.asksFirst(event.provider, event.type));
        if (known && !stale && !isSameMark(before, known.mark)) throw new PreparedTooEarly();
        await this.handle(event, { manager, watch, stale, tied: isTied(event, before), results: known?.results ?? [], afterCommit });
      }
      return marks.size;
    };
    const completed = await inTransaction(this.dataSource, work).finally(() => watch?.stop());
    for (const tell of afterCommit) tell();
    return completed;
  }

  /** Marks what is ours as completed, and the objects with it. */
  private mark(manager: EntityManager, events: readonly ClaimedEvent[], owner: string): Promise<MarkedRow[]> {
    const ids = events.map(({ id }) => id);
    const params = [owner, this.handlers.unhandledKinds(events), ids, this.handlers.askingKinds(events)];
    // As at the insert: the plan for few is kept, the one for many is made for them.
    if (ids.length <= SMALL_BATCH) return prepared<MarkedRow>(manager, 'webhooks_mark_few', MARK_COMPLETED, params);
    return manager.query<MarkedRow[]>(MARK_COMPLETED, params);
  }

  private async handle(event: ClaimedEvent, run: Run): Promise<void> {
    const handlers = this.handlers.handlersOf(event.provider, event.type);
    if (handlers.length === 0) return;
    await inSpanOf(event.payload.traceparent, `handle ${event.provider} ${event.type}`, () => this.callAll(handlers, event, run));
  }

  private async callAll(
    handlers: ReturnType<HandlerRegistry['handlersOf']>,
    event: ClaimedEvent,
    { manager, watch, stale, tied, results, afterCommit }: Run,
  ): Promise<void> {
    const given = handlerEventOf(event);
    for (const [index, { name, handler, evenStale }] of handlers.entries()) {
      const settlesTie = tied && handler.handleTie !== undefined;
      if (stale && !evenStale && !settlesTie) continue;
      try {
        const context = this.contexts.make({ event, manager, signal: watch.signal, afterCommit });
        const handle = () => (settlesTie ? handler.handleTie!(given, context) : handler.handle(given, context, results[index]));
        await watch.run(`The handler ${name}`, handle);
      } catch (error) {
        // A deadlock is nobody's fault: the whole transaction is run again.
        if (isRetryableTransactionError(error)) throw error;
        throw new HandlerFailure(event, error);
      }
    }
  }
}

/** Where the mark of the event's object stood; undefined where the event is not guarded. */
function markBefore({ before_version: version, before_event_id: eventId }: MarkedRow): ObjectMark | undefined {
  return version === null || eventId === null ? undefined : { version: Number(version), eventId };
}
