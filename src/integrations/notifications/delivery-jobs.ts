import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { systemClock } from '../../clock';
import { timeOfId } from '../../database';
import { FigureCollector } from '../figures';
import {
  JobEngine,
  type Claim,
  type ClaimRequest,
  type JobKind,
  type JobOptions,
  type JobWorker,
  type NextTry,
  type Waiting,
} from '../jobs';
import type { ClaimedDelivery } from './claimed-delivery';
import { DeliveryClaims } from './delivery-claims';
import { outgoingDeliveries } from './delivery-metrics';
import { DELIVERY_OPTIONS, retryBackOff, type DeliveryOptions } from './delivery-options';
import { DeliverySender, type SendResult } from './delivery-sender';
import { DestinationTurns } from './destination-turns';
import { DestinationInterest, RecordChangeBatches } from './outbox';

/** A stop waits so long for POSTs that are under way, ms; what is cut off then is sent again with the same id. */
export const GRACE_MS = 5_000;
/** Destinations that are remembered as slow, and as quick. */
const MAX_REMEMBERED = 1_000;

/** A destination did not take a delivery. */
class NotTakenError extends Error {
  override readonly name = 'NotTakenError';
  constructor(readonly result: SendResult & { readonly error: string }) {
    super(result.error);
  }
}

/** Deliveries as jobs: one POST a try, fair by destination, so that one which hangs holds up nobody but itself. */
@Injectable()
export class DeliveryJobs implements JobKind<ClaimedDelivery>, OnApplicationBootstrap {
  readonly topic = 'deliveries';
  readonly options: JobOptions;
  private readonly logger = new Logger('deliveries');
  private readonly slow = new Set<string>();
  private readonly quick = new Set<string>();
  private readonly turns: DestinationTurns;
  /** Destinations that had a POST end since the last claim. */
  private readonly used = new Set<string>();
  /** What was taken, and is in work only until that is stored. */
  private readonly answered = new WeakSet<ClaimedDelivery>();
  worker?: JobWorker<ClaimedDelivery>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly interest: DestinationInterest,
    private readonly batches: RecordChangeBatches,
    private readonly claims: DeliveryClaims,
    private readonly sender: DeliverySender,
    private readonly engine: JobEngine,
    @Inject(DELIVERY_OPTIONS) private readonly delivery: DeliveryOptions,
    private readonly figures: FigureCollector,
  ) {
    this.turns = new DestinationTurns(delivery);
    this.options = {
      concurrency: 2 * delivery.inFlight,
      leaseSeconds: delivery.leaseSeconds,
      backOff: retryBackOff(delivery),
      graceMs: GRACE_MS,
    };
  }

  onApplicationBootstrap(): void {
    this.worker = this.engine.start(this);
  }

  /** Sends a delivery that was stored with a lease, and stores what came of it. */
  async sendNow(delivery: ClaimedDelivery): Promise<void> {
    await this.worker?.run(delivery);
  }

  waiting(): Promise<Waiting> {
    return this.claims.waiting();
  }

  endLeases(alive: readonly string[]): Promise<void> {
    return this.claims.endLeases(alive);
  }

  /** Deliveries whose process died are due again, and gathered changes of records become events. */
  async prepare(): Promise<boolean> {
    if (!(await this.interest.any(this.dataSource))) return false;
    const { expired, gathered } = await this.claims.toPrepare();
    if (expired) await this.claims.takeBack();
    if (gathered) await this.batches.flush();
    return expired || gathered;
  }

  async claim({ held, newLease }: ClaimRequest<ClaimedDelivery>): Promise<Claim<ClaimedDelivery>> {
    const { doubtfulInFlight } = this.delivery;
    const inDoubt = held.filter(({ failing, destinationId }) => failing || this.slow.has(destinationId)).length;
    const good = Math.max(0, this.options.concurrency - doubtfulInFlight - (held.length - inDoubt));
    const doubtful = Math.max(0, doubtfulInFlight - inDoubt);
    if (good + doubtful === 0 || !(await this.interest.any(this.dataSource))) return { jobs: [], more: false };
    const busy = new Map<string, number>();
    for (const delivery of held) {
      const { destinationId } = delivery;
      if (!this.answered.has(delivery)) busy.set(destinationId, (busy.get(destinationId) ?? 0) + 1);
    }
    const [slow, quick] = [[...this.slow], [...this.quick]];
    this.used.clear();
    return { jobs: await this.claims.due({ good, doubtful, slow, quick, lease: newLease(), busy }), more: false };
  }

  /** Not for each that ends: what was claimed ahead goes first, and a claim costs as much as six POSTs (docs/decisions/0022). */
  wantsMore(): boolean {
    return [...this.used].some((id) => this.turns.waiting(id) < this.delivery.perDestination);
  }

  async run(delivery: ClaimedDelivery, signal: AbortSignal): Promise<void> {
    try {
      await this.deliver(delivery, signal);
    } finally {
      this.used.add(delivery.destinationId);
    }
  }

  traces({ traceparent }: ClaimedDelivery): Iterable<string | undefined> {
    return [traceparent ?? undefined];
  }

  async failed(delivery: ClaimedDelivery, error: unknown, next: NextTry): Promise<void> {
    // Its outcome could not be stored: the lease ends by itself, and it is sent again with the same id. Time alone makes one dead.
    if (!(error instanceof NotTakenError) || next === 'dead') throw error;
    const status = await this.claims.failed(delivery, error.result, next.waitMs);
    if (status === undefined) return;
    outgoingDeliveries.inc({ outcome: status === 'dead' ? 'dead' : 'failed' });
    const { id: deliveryId, destinationId, type, attempts: attempt } = delivery;
    const about = { deliveryId, destinationId, type, attempt, error: error.message };
    this.logger.warn({ msg: 'A webhook was not taken', ...about, ...(status === 'dead' && { dead: true }) });
  }

  release(delivery: ClaimedDelivery): Promise<void> {
    return this.claims.release(delivery);
  }

  private countDelivered({ tenant, messageId }: ClaimedDelivery): void {
    outgoingDeliveries.inc({ outcome: 'delivered' });
    const at = systemClock.now(); // the clock that makes ids
    // Of no provider: what is told need not be of one.
    this.figures.delivered({ at, provider: '', tenant }, Math.max(0, at - timeOfId(messageId)));
  }

  private async deliver(delivery: ClaimedDelivery, signal: AbortSignal): Promise<void> {
    const { destinationId } = delivery;
    const result = await (delivery.once ? this.sender.send(delivery, signal) : this.sendInTurn(delivery, signal));
    this.noteSpeed(destinationId, result);
    if (result.error === undefined) {
      // The destination has room again, while the outcome is on its way to the disk.
      this.answered.add(delivery);
      this.used.add(destinationId);
      void this.worker?.refill();
      if (await this.claims.delivered(delivery, result)) this.countDelivered(delivery);
      return;
    }
    signal.throwIfAborted(); // cut off by us: no failure of the destination
    throw new NotTakenError({ ...result, error: result.error });
  }

  /** Not so what is sent once, as a test: somebody waits for its answer, and nothing gives it back. */
  private async sendInTurn(delivery: ClaimedDelivery, signal: AbortSignal): Promise<SendResult> {
    await this.turns.enter(delivery.destinationId, signal);
    return this.sender.send(delivery, signal).finally(() => this.turns.leave(delivery.destinationId));
  }

  /** Where it does not do well, what was claimed ahead is given back: it is sent one at a time then, or not at all for a while. */
  private noteSpeed(destinationId: string, { durationMs, error }: SendResult): void {
    const { slowMs, quickMs } = this.delivery;
    note(this.slow, destinationId, durationMs >= slowMs);
    note(this.quick, destinationId, durationMs < quickMs && error === undefined);
    if (durationMs >= slowMs || error !== undefined) this.turns.refuse(destinationId);
  }
}

function note(remembered: Set<string>, destinationId: string, holds: boolean): void {
  if (!holds) remembered.delete(destinationId);
  else if (remembered.size < MAX_REMEMBERED) remembered.add(destinationId);
}
