import { Inject, Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { inTransaction, prepared, retried, type RowOf } from '../../database';
import { COUNTED_AT_MOST, type Waiting } from '../jobs';
import { GroupedWrites } from './grouped-writes';
import { claimedDeliveryOf, type ClaimedDelivery, type ClaimedDeliveryRow } from './claimed-delivery';
import type { DestinationEntity } from './destination.entity';
import type { SendResult } from './delivery-sender';
import { isOfSettings } from './operator-destinations';
import { GIVE_UP_AFTER_MS } from './outbox';
import {
  ANY_TO_PREPARE,
  CLAIM_DELIVERIES,
  COUNT_FAILURE,
  DELIVERIES_WAITING,
  END_LEASES,
  MARK_DELIVERED,
  MARK_FAILED,
  PAUSE_DEAD,
  RELEASE_DELIVERY,
  REST,
  TAKE_BACK,
} from './delivery.queries';
import { DELIVERY_OPTIONS, restMs, type DeliveryOptions } from './delivery-options';

export interface ClaimQuery {
  /** Most to destinations that do well, and to those in doubt. */
  readonly good: number;
  readonly doubtful: number;
  readonly slow: readonly string[];
  /** That answer quickly, and are given more than they are sent at once. */
  readonly quick: readonly string[];
  readonly lease: string;
  /** Deliveries in work in this process, by destination. */
  readonly busy: ReadonlyMap<string, number>;
}

interface Delivered extends Pick<ClaimedDelivery, 'id' | 'lease'> {
  readonly result: SendResult;
}

/** What failed so often waits on when its destination is back. */
const TRIES_THAT_RETURN = 8;
/** Outcomes in one commit, at most. */
const OUTCOMES_AT_ONCE = 200;

export interface ToPrepare {
  /** Deliveries whose lease has ended. */
  readonly expired: boolean;
  /** Changes of records that become events. */
  readonly gathered: boolean;
}

/** The claims on deliveries, and what comes of them. Leases and due times are the database's: no process' clock can steal one. */
@Injectable()
export class DeliveryClaims {
  private readonly marks = new GroupedWrites<Delivered, boolean>(OUTCOMES_AT_ONCE, (outcomes) => this.storeDelivered(outcomes));

  constructor(
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(DELIVERY_OPTIONS) private readonly options: DeliveryOptions,
  ) {}

  async due({ good, doubtful, slow, quick, lease, busy }: ClaimQuery): Promise<ClaimedDelivery[]> {
    const { perDestination, claimedAhead, leaseSeconds } = this.options;
    const params = [
      perDestination,
      good,
      doubtful,
      slow,
      [...busy.keys()],
      [...busy.values()],
      lease,
      leaseSeconds,
      new Date(this.clock.now()),
      randomBytes(8).readBigInt64BE().toString(),
      quick,
      claimedAhead,
    ];
    return (await prepared<ClaimedDeliveryRow>(this.dataSource, 'claim_deliveries', CLAIM_DELIVERIES, params)).map(claimedDeliveryOf);
  }

  async waiting(): Promise<Waiting> {
    const [row] = await this.dataSource.query<Waiting[]>(DELIVERIES_WAITING, [COUNTED_AT_MOST]);
    return row ?? { count: 0, oldest: null };
  }

  /** What a claim does not see by itself. */
  async toPrepare(): Promise<ToPrepare> {
    const [row] = await prepared<ToPrepare>(this.dataSource, 'deliveries_to_prepare', ANY_TO_PREPARE, []);
    return row ?? { expired: false, gathered: false };
  }

  /** @param alive the signs of the processes that live */
  async endLeases(alive: readonly string[]): Promise<void> {
    await this.dataSource.query(END_LEASES, [alive]);
  }

  /** Deliveries whose process died are due again. */
  async takeBack(): Promise<void> {
    await this.dataSource.query(TAKE_BACK);
  }

  /** Gives a delivery back that was not tried, or not to its end, because of us. */
  async release({ id, lease }: ClaimedDelivery): Promise<void> {
    await this.dataSource.query(RELEASE_DELIVERY, [id, lease]);
  }

  /** @returns whether the delivery was still ours */
  delivered({ id, lease }: ClaimedDelivery, result: SendResult): Promise<boolean> {
    return this.marks.write({ id, lease, result });
  }

  /**
   * Stores that a try failed, with the delivery and with its destination.
   * @returns what is left of it; undefined where it is not ours any more
   */
  async failed(
    { id, lease, destinationId, url, once }: ClaimedDelivery,
    result: SendResult & { readonly error: string },
    pauseMs: number,
  ): Promise<'pending' | 'dead' | undefined> {
    const { error } = result;
    const waitMs = Math.max(pauseMs, result.retryAfterMs ?? 0);
    const { pauseAfterFailures, pauseAfterMs } = this.options;
    const now = this.now();
    return inTransaction(this.dataSource, async (manager) => {
      const params = [id, lease, result.status ?? null, this.entry(result), now, error, waitMs, GIVE_UP_AFTER_MS];
      const [row] = await manager.query<{ status: 'pending' | 'dead' }[]>(MARK_FAILED, params);
      if (!row || once) return row?.status;
      const [counted] = await manager.query<Pick<RowOf<DestinationEntity>, 'failures' | 'failing_since'>[]>(COUNT_FAILURE, [
        destinationId,
        now,
        error,
      ]);
      if (!counted) return row.status;
      const failingForMs = now.getTime() - (counted.failing_since ?? now).getTime();
      const failing = counted.failures >= pauseAfterFailures && failingForMs >= pauseAfterMs;
      // 410: the address says that it wants nothing any more (Standard Webhooks, "Retries").
      const reason = result.status === 410 ? 'gone' : failing ? 'failing' : undefined;
      if (reason && !isOfSettings(url)) await manager.query(PAUSE_DEAD, [destinationId, reason, now]);
      const rest = restMs({ failures: counted.failures, failingForMs }, this.options, result.retryAfterMs);
      if (rest > 0) await manager.query(REST, [destinationId, rest]);
      return row.status;
    });
  }

  private async storeDelivered(outcomes: readonly Delivered[]): Promise<boolean[]> {
    const now = this.now();
    const params = [
      outcomes.map(({ id }) => id),
      outcomes.map(({ lease }) => lease),
      outcomes.map(({ result }) => result.status ?? null),
      outcomes.map(({ result }) => this.entry(result)),
      outcomes.map(() => now),
      this.options.restAfterFailures,
      TRIES_THAT_RETURN,
    ];
    const rows = await retried(() => prepared<{ id: string }>(this.dataSource, 'mark_delivered', MARK_DELIVERED, params));
    const ours = new Set(rows.map(({ id }) => id));
    return outcomes.map(({ id }) => ours.has(id));
  }

  private entry({ at, status, error, durationMs }: SendResult): string {
    return JSON.stringify([{ at: at.toISOString(), status: status ?? null, error: error ?? null, durationMs }]);
  }

  private now(): Date {
    return new Date(this.clock.now());
  }
}
