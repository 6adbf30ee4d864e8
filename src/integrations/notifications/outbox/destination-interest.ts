import { Inject, Injectable } from '@nestjs/common';
import { CLOCK, type Clock } from '../../../clock';
import { asServiceWithin, type SqlRunner } from '../../../database';
import { matches, type Match } from './match';
import type { OutboxEventType } from './outbox-event';

/** A destination that was added in another process is noticed after this, ms. */
const MAX_AGE_MS = 3_000;
const MAX_TENANTS = 10_000;

/** A destination as far as it says what it wants. */
interface Wish {
  readonly id: string;
  readonly events: readonly string[];
  readonly match: Match | null;
}

interface Known<T> {
  readonly value: T;
  readonly until: number;
}

interface Everybody {
  /** What at least one destination wants. */
  readonly types: ReadonlySet<string>;
  /** Destinations of whoever runs the service, that hear of all organizations. */
  readonly toAll: readonly Wish[];
}

/** Who wants to hear of what, remembered for a moment: events are many, and destinations change seldom. */
@Injectable()
export class DestinationInterest {
  private everybody?: Known<Everybody>;
  private readonly tenants = new Map<string, Known<readonly Wish[]>>();

  constructor(@Inject(CLOCK) private readonly clock: Clock) {}

  /** Reads with `runner`, so that it can be asked within a transaction, a caller's as well. */
  async wants(runner: SqlRunner, type: OutboxEventType, tenant?: string): Promise<boolean> {
    const { types } = await this.ofEverybody(runner);
    if (!types.has(type) || tenant === undefined) return types.has(type);
    return (await this.wishesOf(runner, tenant)).some(({ events }) => events.includes(type));
  }

  /** Whether there is any destination. */
  async any(runner: SqlRunner): Promise<boolean> {
    return (await this.ofEverybody(runner)).types.size > 0;
  }

  /** Whether an organization's events go to somebody else as well. */
  async anyToAll(runner: SqlRunner): Promise<boolean> {
    return (await this.ofEverybody(runner)).toAll.length > 0;
  }

  /** The destinations that choose by content and want this message; one that nobody knows of yet is not given any. */
  async matching(runner: SqlRunner, tenant: string, type: string, message: () => object): Promise<string[]> {
    const choosing = (await this.wishesOf(runner, tenant)).filter(({ events, match }) => match !== null && events.includes(type));
    if (choosing.length === 0) return [];
    const given = message();
    return choosing.flatMap(({ id, match }) => (match !== null && matches(match, given) ? [id] : []));
  }

  /** A destination was changed in this process. */
  forget(): void {
    this.everybody = undefined;
    this.tenants.clear();
  }

  private async ofEverybody(runner: SqlRunner): Promise<Everybody> {
    if (this.everybody && this.isFresh(this.everybody)) return this.everybody.value;
    const [types, toAll] = await asServiceWithin(runner, async () => [
      await runner.query<{ type: string }>('SELECT DISTINCT unnest(events) AS type FROM destinations'),
      await runner.query<Wish>(`SELECT id, events, match FROM destinations WHERE scope = 'all'`),
    ]);
    this.everybody = this.known({ types: new Set(types.map(({ type }) => type)), toAll });
    return this.everybody.value;
  }

  private async wishesOf(runner: SqlRunner, tenant: string): Promise<readonly Wish[]> {
    const { toAll } = await this.ofEverybody(runner);
    const before = this.tenants.get(tenant);
    if (before && this.isFresh(before)) return before.value;
    const own = await asServiceWithin(runner, () =>
      runner.query<Wish>(`SELECT id, events, match FROM destinations WHERE tenant = $1 AND scope = 'tenant'`, [tenant]),
    );
    if (this.tenants.size >= MAX_TENANTS) this.tenants.clear();
    const known = this.known([...own, ...toAll]);
    this.tenants.set(tenant, known);
    return known.value;
  }

  private known<T>(value: T): Known<T> {
    return { value, until: this.clock.now() + MAX_AGE_MS };
  }

  private isFresh({ until }: Known<unknown>): boolean {
    const left = until - this.clock.now();
    return left > 0 && left <= MAX_AGE_MS; // a clock that was set back makes nothing fresh for ever
  }
}
