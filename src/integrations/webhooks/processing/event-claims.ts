import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ANY_EXPIRED, CLAIM_DUE, CLAIM_EXPIRED, END_LEASES, EXTEND, MARK_FAILED, RELEASE } from './claim.queries';
import { EVENTS_WAITING } from './waiting.queries';
import { claimedEventsOf, type ClaimedEvent, type ClaimedRow, type ClaimedRowWithPayload } from './claimed-event';
import type { FailedAttempt } from '../webhook-event.entity';
import type { FailureReason } from './failure-reason';
import { COUNTED_AT_MOST, type NextTry, type Waiting } from '../../jobs';

export interface DueClaim {
  readonly events: ClaimedEvent[];
  /** Whether nothing is due: every tenant was looked at since something was found. Otherwise the next claim goes on after them. */
  readonly complete: boolean;
}

export interface DueQuery {
  readonly limit: number;
  readonly lease: string;
  readonly leaseSeconds: number;
  /** Tenants that enough jobs of this process are working for. */
  readonly busyTenants: readonly string[];
  /** Kinds (`provider/type`) that cannot be taken now. */
  readonly busyKinds: readonly string[];
}

/** The claims on stored events, in the database's own time: no process's clock can make a lease shorter or longer. */
@Injectable()
export class EventClaims {
  /** The tenant where the last claim ended; undefined at the beginning of a round. */
  private after?: string;
  /** Whether this round has found nothing so far. */
  private fruitless = true;

  constructor(private readonly dataSource: DataSource) {}

  async due({ limit, lease, leaseSeconds, busyTenants, busyKinds }: DueQuery): Promise<DueClaim> {
    const { after } = this;
    const params = [limit, after ?? '', after !== undefined, busyTenants, lease, leaseSeconds, busyKinds];
    const rows = await this.dataSource.query<(ClaimedRowWithPayload & { last_tenant: string | null; seen: number })[]>(CLAIM_DUE, params);
    const [first] = rows;
    const roundEnded = (first?.seen ?? 0) < limit;
    this.after = roundEnded ? undefined : (first?.last_tenant ?? undefined);
    const events = claimedEventsOf(rows.filter(({ id }) => id !== null));
    this.fruitless = events.length === 0 && (after === undefined || this.fruitless);
    return { events, complete: roundEnded && this.fruitless };
  }

  async waiting(): Promise<Waiting> {
    const [row] = await this.dataSource.query<Waiting[]>(EVENTS_WAITING, [COUNTED_AT_MOST]);
    return row ?? { count: 0, oldest: null };
  }

  /** Whether there is an event whose worker died. */
  async anyExpired(): Promise<boolean> {
    const [row] = await this.dataSource.query<{ found: boolean }[]>(ANY_EXPIRED);
    return row?.found ?? false;
  }

  /** One event whose worker died: to be run (`event`), or dead by now. Undefined where there is none. */
  async expired(lease: string, leaseSeconds: number, maxAttempts: number): Promise<{ event: ClaimedEvent; dead: boolean } | undefined> {
    const reason = `The process stopped ${maxAttempts} times while it was working on this event.`;
    const rows = await this.dataSource.query<(ClaimedRowWithPayload & { status: string })[]>(CLAIM_EXPIRED, [
      lease,
      leaseSeconds,
      maxAttempts,
      reason,
    ]);
    const [event] = claimedEventsOf(rows);
    return event && { event, dead: rows[0]?.status === 'dead' };
  }

  /** What processes held that have ended is expired. */
  async endLeases(alive: readonly string[]): Promise<void> {
    await this.dataSource.query(END_LEASES, [alive]);
  }

  /** @returns the owners among them that still have something */
  async extend(owners: readonly string[], leaseSeconds: number): Promise<ReadonlySet<string>> {
    const rows = await this.dataSource.query<Pick<ClaimedRow, 'lease_owner'>[]>(EXTEND, [owners, leaseSeconds]);
    return new Set(rows.flatMap(({ lease_owner }) => lease_owner ?? []));
  }

  /** Undefined where the event is not ours any more. */
  async fail(event: ClaimedEvent, reason: FailureReason, next: NextTry, attempt: FailedAttempt): Promise<'failed' | 'dead' | undefined> {
    const params = [
      event.id,
      event.leaseOwner,
      next === 'dead',
      next === 'dead' ? 0 : next.waitMs,
      reason.message,
      reason.code,
      JSON.stringify(attempt),
    ];
    const [row] = await this.dataSource.query<{ status: 'failed' | 'dead' }[]>(MARK_FAILED, params);
    return row?.status;
  }

  /** Gives events back whose run did not begin, or could not because of us: the attempt does not count. */
  async release(owner: string, events: readonly ClaimedEvent[], waitMs = 0): Promise<void> {
    await this.dataSource.query(RELEASE, [events.map(({ id }) => id), owner, waitMs]);
  }
}
