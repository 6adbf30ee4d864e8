import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { ANY_EXPIRED, CLAIM_DUE, CLAIM_EXPIRED, EXTEND, MARK_FAILED, RELEASE } from './claim.queries';
import { claimedEventsOf, type ClaimedEvent, type ClaimedRowWithPayload } from './claimed-event';
import type { FailureReason } from './failure-reason';

export interface DueClaim {
  readonly events: ClaimedEvent[];
  /** Whether every tenant with something due was looked at; otherwise the next claim goes on after them. */
  readonly complete: boolean;
}

export interface DueQuery {
  readonly limit: number;
  readonly leaseSeconds: number;
  /** Tenants that another lane of this process is working for. */
  readonly busyTenants: readonly string[];
  /** Kinds (`provider/type`) that cannot be taken now. */
  readonly busyKinds: readonly string[];
}

/** The claims on stored events, in the database's own time: no process's clock can make a lease shorter or longer. */
@Injectable()
export class EventClaims {
  /** The tenant where the last claim ended; undefined at the beginning of a round. */
  private after?: string;

  constructor(private readonly dataSource: DataSource) {}

  async due({ limit, leaseSeconds, busyTenants, busyKinds }: DueQuery): Promise<DueClaim> {
    const { after } = this;
    const params = [limit, after ?? '', after !== undefined, busyTenants, uuidv7(), leaseSeconds, busyKinds];
    const rows = await this.dataSource.query<(ClaimedRowWithPayload & { last_tenant: string | null; seen: number })[]>(CLAIM_DUE, params);
    const [first] = rows;
    const roundEnded = (first?.seen ?? 0) < limit;
    this.after = roundEnded ? undefined : (first?.last_tenant ?? undefined);
    const events = claimedEventsOf(rows.filter(({ id }) => id !== null));
    return { events, complete: roundEnded && after === undefined };
  }

  /** Whether there is an event whose worker died. */
  async anyExpired(): Promise<boolean> {
    const [row] = await this.dataSource.query<{ found: boolean }[]>(ANY_EXPIRED);
    return row?.found ?? false;
  }

  /** One event whose worker died: to be run (`event`), or dead by now. Undefined where there is none. */
  async expired(leaseSeconds: number, maxAttempts: number): Promise<{ event: ClaimedEvent; dead: boolean } | undefined> {
    const reason = `The process stopped ${maxAttempts} times while it was working on this event.`;
    const rows = await this.dataSource.query<(ClaimedRowWithPayload & { status: string })[]>(CLAIM_EXPIRED, [
      uuidv7(),
      leaseSeconds,
      maxAttempts,
      reason,
    ]);
    const [event] = claimedEventsOf(rows);
    return event && { event, dead: rows[0]?.status === 'dead' };
  }

  async extend(owners: readonly string[], leaseSeconds: number): Promise<void> {
    if (owners.length > 0) await this.dataSource.query(EXTEND, [owners, leaseSeconds]);
  }

  /** Undefined where the event is not ours any more. */
  async fail(event: ClaimedEvent, reason: FailureReason, maxAttempts: number, waitMs: number): Promise<'failed' | 'dead' | undefined> {
    const params = [event.id, event.leaseOwner, maxAttempts, waitMs, reason.message, reason.code];
    const [row] = await this.dataSource.query<{ status: 'failed' | 'dead' }[]>(MARK_FAILED, params);
    return row?.status;
  }

  /** Gives events back whose run did not begin, or could not because of us: the attempt does not count. */
  async release(events: readonly ClaimedEvent[]): Promise<void> {
    for (const owner of new Set(events.map(({ leaseOwner }) => leaseOwner))) {
      await this.dataSource.query(RELEASE, [events.filter(({ leaseOwner }) => leaseOwner === owner).map(({ id }) => id), owner]);
    }
  }
}
