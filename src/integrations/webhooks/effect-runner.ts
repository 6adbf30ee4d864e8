import { Inject, Injectable, Optional } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { inTransaction, isRetryableTransactionError } from '../../database';
import type { ConnectionStatus } from '../connections';
import { MARK_COMPLETED } from './claim-sql';
import { handlerEventOf, type ClaimedEvent } from './claimed-event';
import { HandlerContexts } from './handler-contexts';
import { HandlerRegistry } from './handler.registry';
import { inSafeOrder, ObjectGuard } from './object-guard';
import type { AfterCommit } from './ports';
import { PROCESSOR_DEFAULTS, PROCESSOR_OPTIONS, type ProcessorOptions } from './processor-options';
import { DeadlineWatch } from './with-deadline';

/** What the handlers of an event got to know before the transaction. */
export interface Prepared {
  /** In the order of the handlers. */
  readonly results: readonly unknown[];
  /** `ObjectGuard.markOf` from before they asked. */
  readonly mark: string | undefined;
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

interface Run {
  readonly manager: EntityManager;
  readonly watch: DeadlineWatch;
  readonly stale: boolean;
  readonly results: readonly unknown[];
  readonly afterCommit: AfterCommit[];
}

/** Runs handlers: what they do and `completed` are one transaction, so that a crash between the two cannot be. */
@Injectable()
export class EffectRunner {
  private readonly handleTimeoutMs: number;

  constructor(
    private readonly dataSource: DataSource,
    private readonly handlers: HandlerRegistry,
    private readonly contexts: HandlerContexts,
    @Inject(CLOCK) private readonly clock: Clock,
    @Optional() @Inject(PROCESSOR_OPTIONS) options: Partial<ProcessorOptions> | null,
  ) {
    this.handleTimeoutMs = options?.handleTimeoutMs ?? PROCESSOR_DEFAULTS.handleTimeoutMs;
  }

  /**
   * All of these events, or none. They are of one claim.
   * @returns how many were completed; fewer than given where others took them over meanwhile
   * @throws HandlerFailure naming the event whose handler failed; PreparedTooEarly; whatever the database says
   */
  async run(events: readonly ClaimedEvent[], prepared: ReadonlyMap<string, Prepared>): Promise<number> {
    const [first] = events;
    if (!first) return 0;
    const ids = events.map(({ id }) => id);
    let afterCommit: AfterCommit[] = [];
    let watch: DeadlineWatch | undefined;
    const completed = await inTransaction(this.dataSource, async (manager) => {
      afterCommit = []; // a repeated transaction starts anew
      watch?.stop();
      watch = new DeadlineWatch(this.clock, this.handleTimeoutMs);
      const rows = await manager.query<{ id: string; connection_status: ConnectionStatus | null }[]>(MARK_COMPLETED, [
        ids,
        first.leaseOwner,
      ]);
      const statuses = new Map(rows.map((row) => [row.id, row.connection_status]));
      // What belongs to a connection that has been disconnected meanwhile is done with.
      const wanted = events.filter(({ id }) => statuses.has(id) && statuses.get(id) !== 'disconnected');
      const active = wanted.filter(({ provider, type }) => this.handlers.handlersOf(provider, type).length > 0);
      const guard = await ObjectGuard.lock(manager, active);
      for (const event of inSafeOrder(active)) {
        const known = prepared.get(event.id);
        const stale = guard.isStale(event);
        if (known && !stale && guard.hasMoved(event, known.mark)) throw new PreparedTooEarly();
        await this.handle(event, { manager, watch, stale, results: known?.results ?? [], afterCommit });
        if (!stale) guard.applied(event);
      }
      await guard.store(manager);
      return rows.length;
    }).finally(() => watch?.stop());
    for (const tell of afterCommit) tell();
    return completed;
  }

  private async handle(event: ClaimedEvent, { manager, watch, stale, results, afterCommit }: Run): Promise<void> {
    const given = handlerEventOf(event);
    for (const [index, { name, handler, evenStale }] of this.handlers.handlersOf(event.provider, event.type).entries()) {
      if (stale && !evenStale) continue;
      try {
        const context = this.contexts.make({ event, manager, signal: watch.signal, afterCommit });
        await watch.run(`The handler ${name}`, () => handler.handle(given, context, results[index]));
      } catch (error) {
        // A deadlock is nobody's fault: the whole transaction is run again.
        if (isRetryableTransactionError(error)) throw error;
        throw new HandlerFailure(event, error);
      }
    }
  }
}
