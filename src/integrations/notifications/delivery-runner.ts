import { Inject, Injectable, Logger, Optional, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { IntegrationError } from '../../errors';
import { IntegrationEvents } from '../connections';
import { WakeUp } from '../jobs';
import { RecordChangeBatches } from './record-change-batches';
import type { ClaimedDelivery } from './claimed-delivery';
import { Outbox } from './outbox';
import { DeliveryClaims } from './delivery-claims';
import { DeliverySender } from './delivery-sender';
import { DestinationInterest } from './destination-interest';
import { outgoingDeliveries } from './delivery-metrics';
import { OUTGOING_DEFAULTS, OUTGOING_OPTIONS, type OutgoingOptions } from './delivery-options';

/** A stop waits so long for POSTs that are under way, ms; what is cut off then is sent again with the same id. */
const GRACE_MS = 5_000;
const MAX_SLOW = 1_000;

/** Sends what is due. A destination has its own lanes, so that one which hangs holds up nobody but itself. */
@Injectable()
export class DeliveryRunner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('outgoing');
  private readonly options: OutgoingOptions;
  private readonly inWork = new Map<ClaimedDelivery, Promise<void>>();
  private readonly slow = new Set<string>();
  private readonly stopping = new AbortController();
  private readonly cutOff = new AbortController();
  private looking?: Promise<void>;
  private lookAgain = false;
  private endListening?: () => void;

  constructor(
    private readonly dataSource: DataSource,
    private readonly interest: DestinationInterest,
    private readonly outbox: Outbox,
    private readonly gatherer: RecordChangeBatches,
    private readonly claims: DeliveryClaims,
    private readonly sender: DeliverySender,
    private readonly events: IntegrationEvents,
    private readonly wakeUp: WakeUp,
    @Inject(CLOCK) private readonly clock: Clock,
    @Optional() @Inject(OUTGOING_OPTIONS) options?: Partial<OutgoingOptions> | null,
  ) {
    this.options = { ...OUTGOING_DEFAULTS, ...options };
  }

  onApplicationBootstrap(): void {
    this.wakeUp.listen('deliveries', () => this.work());
    // Events are told after the commit of what the outbox was given: the moment to look. What is missed the sweeper finds.
    this.endListening = this.events.on('*', () => {
      if (this.outbox.takeAdded()) this.wakeUp.wake('deliveries');
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.endListening?.();
    this.stopping.abort(new IntegrationError('shutting_down'));
    const enough = new AbortController();
    const grace = this.clock.sleep(GRACE_MS, enough.signal).then(
      () => this.cutOff.abort(new IntegrationError('shutting_down')),
      () => undefined,
    );
    await this.idle();
    enough.abort(new Error('done'));
    await grace;
  }

  /** Gathers, claims and begins to send; does not wait for the answers, which look for more by themselves. */
  async work(): Promise<'idle'> {
    if (await this.interest.any(this.dataSource)) {
      await this.claims.takeBack();
      await this.gatherer.flush();
      await this.look();
    }
    return 'idle';
  }

  /** Resolves when nothing is being sent. */
  async idle(): Promise<void> {
    while (this.looking || this.inWork.size > 0) await Promise.allSettled([this.looking, ...this.inWork.values()]);
  }

  /** One at a time: what is asked for meanwhile is another round. */
  private look(): Promise<void> {
    this.lookAgain = true;
    this.looking ??= this.rounds().finally(() => (this.looking = undefined));
    return this.looking;
  }

  private async rounds(): Promise<void> {
    while (this.lookAgain && !this.stopping.signal.aborted) {
      this.lookAgain = false;
      const doubtful = [...this.inWork.keys()].filter((each) => each.failing || this.slow.has(each.destinationId)).length;
      const good = this.options.inFlight - this.options.doubtfulInFlight - (this.inWork.size - doubtful);
      const room = { good: Math.max(0, good), doubtful: Math.max(0, this.options.doubtfulInFlight - doubtful) };
      if (room.good + room.doubtful === 0) return; // whatever ends next looks again
      const claimed = await this.claims.due({ ...room, slow: [...this.slow], busy: this.busy() });
      for (const delivery of claimed) this.inWork.set(delivery, this.deliver(delivery));
    }
  }

  private async deliver(delivery: ClaimedDelivery): Promise<void> {
    try {
      const result = await this.sender.send(delivery, this.cutOff.signal);
      this.noteSpeed(delivery, result.durationMs);
      if (this.cutOff.signal.aborted && result.error !== undefined) return await this.claims.release(delivery);
      const settled = await this.claims.settle(delivery, result);
      if (settled === undefined) return;
      outgoingDeliveries.inc({ outcome: settled === 'pending' ? 'failed' : settled });
      if (settled !== 'delivered') {
        const { id, destinationId, type, attempts } = delivery;
        this.logger.warn({
          msg: 'A webhook was not taken',
          deliveryId: id,
          destinationId,
          type,
          attempt: attempts,
          error: result.error,
          ...(settled === 'dead' && { dead: true }),
        });
      }
    } catch (error) {
      // The lease ends by itself and the message is sent again, with the same id.
      this.logger.warn(`A delivery could not be settled: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.inWork.delete(delivery);
      if (!this.stopping.signal.aborted) {
        this.look().catch((error: unknown) =>
          this.logger.warn(`Looking for deliveries failed: ${error instanceof Error ? error.message : String(error)}`),
        );
      }
    }
  }

  private noteSpeed({ destinationId }: ClaimedDelivery, durationMs: number): void {
    if (durationMs < this.options.slowMs) this.slow.delete(destinationId);
    else if (this.slow.size < MAX_SLOW) this.slow.add(destinationId);
  }

  private busy(): Map<string, number> {
    const busy = new Map<string, number>();
    for (const { destinationId } of this.inWork.keys()) busy.set(destinationId, (busy.get(destinationId) ?? 0) + 1);
    return busy;
  }
}
