import { Inject, Injectable } from '@nestjs/common';
import { CLOCK, type Clock } from '../../../clock';
import type { SqlRunner } from '../../../database';
import type { OutboxEventType } from './outbox-event';

/** A destination that was added in another process is noticed after this, ms. */
const MAX_AGE_MS = 3_000;
const MAX_TENANTS = 10_000;

interface Known {
  readonly types: ReadonlySet<string>;
  readonly until: number;
}

/** Who wants to hear of what, remembered for a moment: events are many, and destinations change seldom. */
@Injectable()
export class DestinationInterest {
  /** Of everybody: what at least one destination wants. */
  private everybody?: Known;
  private readonly tenants = new Map<string, Known>();

  constructor(@Inject(CLOCK) private readonly clock: Clock) {}

  /** Reads with `runner`, so that it can be asked within a transaction. */
  async wants(runner: SqlRunner, type: OutboxEventType, tenant?: string): Promise<boolean> {
    const all = await this.ofEverybody(runner);
    if (!all.has(type) || tenant === undefined) return all.has(type);
    return (await this.ofTenant(runner, tenant)).has(type);
  }

  /** Whether there is any destination. */
  async any(runner: SqlRunner): Promise<boolean> {
    return (await this.ofEverybody(runner)).size > 0;
  }

  /** A destination was changed in this process. */
  forget(): void {
    this.everybody = undefined;
    this.tenants.clear();
  }

  private async ofEverybody(runner: SqlRunner): Promise<ReadonlySet<string>> {
    if (this.everybody && this.isFresh(this.everybody)) return this.everybody.types;
    this.everybody = this.known(await runner.query<{ type: string }>('SELECT DISTINCT unnest(events) AS type FROM destinations'));
    return this.everybody.types;
  }

  private async ofTenant(runner: SqlRunner, tenant: string): Promise<ReadonlySet<string>> {
    const before = this.tenants.get(tenant);
    if (before && this.isFresh(before)) return before.types;
    const known = this.known(
      await runner.query<{ type: string }>('SELECT DISTINCT unnest(events) AS type FROM destinations WHERE tenant = $1', [tenant]),
    );
    if (this.tenants.size >= MAX_TENANTS) this.tenants.clear();
    this.tenants.set(tenant, known);
    return known.types;
  }

  private known(rows: readonly { type: string }[]): Known {
    return { types: new Set(rows.map(({ type }) => type)), until: this.clock.now() + MAX_AGE_MS };
  }

  private isFresh({ until }: Known): boolean {
    const left = until - this.clock.now();
    return left > 0 && left <= MAX_AGE_MS; // a clock that was set back makes nothing fresh for ever
  }
}
