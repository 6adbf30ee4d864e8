import { Inject, Injectable, Optional } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { CLOCK, type Clock } from '../../clock';
import { inTransaction } from '../../database';
import { OPERATOR } from '../connections';
import { claimedDeliveryOf, type ClaimedDelivery, type ClaimedDeliveryRow } from './claimed-delivery';
import type { SendResult } from './delivery-sender';
import {
  CLAIM_DELIVERIES,
  COUNT_FAILURE,
  MARK_DELIVERED,
  MARK_FAILED,
  PAUSE_DEAD,
  RELEASE_DELIVERY,
  REST,
  TAKE_BACK,
} from './delivery.queries';
import { OUTGOING_DEFAULTS, OUTGOING_OPTIONS, restMs, retryWaitMs, type OutgoingOptions } from './delivery-options';

export interface ClaimQuery {
  /** Most to destinations that do well, and to those in doubt. */
  readonly good: number;
  readonly doubtful: number;
  readonly slow: readonly string[];
  /** Deliveries in work in this process, by destination. */
  readonly busy: ReadonlyMap<string, number>;
}

/** What became of a try; undefined where the delivery is not ours any more. */
export type Settled = 'delivered' | 'pending' | 'dead' | undefined;

/** The claims on deliveries, and what comes of them. Leases and due times are the database's: no process' clock can steal one. */
@Injectable()
export class DeliveryClaims {
  private readonly options: OutgoingOptions;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
    @Optional() @Inject(OUTGOING_OPTIONS) options?: Partial<OutgoingOptions> | null,
  ) {
    this.options = { ...OUTGOING_DEFAULTS, ...options };
  }

  async due({ good, doubtful, slow, busy }: ClaimQuery): Promise<ClaimedDelivery[]> {
    const { lanes, leaseSeconds } = this.options;
    const params = [lanes, good, doubtful, slow, [...busy.keys()], [...busy.values()], uuidv7(), leaseSeconds, new Date(this.clock.now())];
    return (await this.dataSource.query<ClaimedDeliveryRow[]>(CLAIM_DELIVERIES, params)).map(claimedDeliveryOf);
  }

  /** Deliveries whose process died are due again. */
  async takeBack(): Promise<void> {
    await this.dataSource.query(TAKE_BACK);
  }

  async settle(delivery: ClaimedDelivery, result: SendResult): Promise<Settled> {
    return result.error === undefined ? this.delivered(delivery, result) : this.failed(delivery, result, result.error);
  }

  /** Gives a delivery back that was not tried, or not to its end, because of us. */
  async release({ id, leaseOwner }: ClaimedDelivery): Promise<void> {
    await this.dataSource.query(RELEASE_DELIVERY, [id, leaseOwner]);
  }

  private async delivered({ id, leaseOwner }: ClaimedDelivery, result: SendResult): Promise<Settled> {
    const [row] = await this.dataSource.query<{ status: Settled }[]>(MARK_DELIVERED, [
      id,
      leaseOwner,
      result.status ?? null,
      this.entry(result),
      this.now(),
    ]);
    return row?.status;
  }

  private async failed(
    { id, leaseOwner, destinationId, tenant, attempts, once }: ClaimedDelivery,
    result: SendResult,
    error: string,
  ): Promise<Settled> {
    const { giveUpAfterMs, pauseAfterFailures, pauseAfterMs } = this.options;
    const waitMs = retryWaitMs(attempts, this.options, result.retryAfterMs);
    const now = this.now();
    return inTransaction(this.dataSource, async (manager) => {
      const params = [id, leaseOwner, result.status ?? null, this.entry(result), now, error, waitMs, giveUpAfterMs];
      const [row] = await manager.query<{ status: Settled }[]>(MARK_FAILED, params);
      if (!row || once) return row?.status;
      const [counted] = await manager.query<{ failures: number; failing_since: Date }[]>(COUNT_FAILURE, [destinationId, now, error]);
      if (!counted) return row.status;
      const failing = counted.failures >= pauseAfterFailures && now.getTime() - counted.failing_since.getTime() >= pauseAfterMs;
      // 410: the address says that it wants nothing any more (Standard Webhooks, "Retries").
      const reason = result.status === 410 ? 'gone' : failing ? 'failing' : undefined;
      if (reason && tenant !== OPERATOR) await manager.query(PAUSE_DEAD, [destinationId, reason, now]);
      const rest = restMs(counted.failures, this.options, result.retryAfterMs);
      if (rest > 0) await manager.query(REST, [destinationId, rest]);
      return row.status;
    });
  }

  private entry({ at, status, error, durationMs }: SendResult): string {
    return JSON.stringify([{ at: at.toISOString(), status: status ?? null, error: error ?? null, durationMs }]);
  }

  private now(): Date {
    return new Date(this.clock.now());
  }
}
