import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { OUTGOING_TYPES, type OutgoingFact, type OutboxPort, type OutgoingType, type RecordChanges, type SqlRunner } from '../connections';
import { DestinationInterest } from './destination-interest';
import { ADD_MESSAGES, GATHER_CHANGES } from './outbox.queries';
import { DELIVERY_OPTIONS, type DeliveryOptions } from './delivery-options';

const TYPES: ReadonlySet<string> = new Set(OUTGOING_TYPES);

/** What goes out, written where the fact is. */
@Injectable()
export class Outbox implements OutboxPort {
  private added = false;

  constructor(
    private readonly interest: DestinationInterest,
    @Inject(DELIVERY_OPTIONS) private readonly options: Pick<DeliveryOptions, 'giveUpAfterMs' | 'gatherMs'>,
  ) {}

  wants(runner: SqlRunner, type: OutgoingType, tenant?: string): Promise<boolean> {
    return this.interest.wants(runner, type, tenant);
  }

  async add(runner: SqlRunner, facts: readonly OutgoingFact[]): Promise<void> {
    const wanted: OutgoingFact[] = [];
    for (const fact of facts) {
      if (TYPES.has(fact.type) && (await this.interest.wants(runner, fact.type as OutgoingType, fact.tenant))) wanted.push(fact);
    }
    if (wanted.length === 0) return;
    const column = <T>(read: (fact: OutgoingFact) => T) => wanted.map(read);
    await runner.query(ADD_MESSAGES, [
      column(() => uuidv7()),
      column(({ tenant }) => tenant),
      column(({ type }) => type),
      column(({ connectionId }) => connectionId),
      column(({ webhookType }) => webhookType ?? null),
      column(({ at }) => at),
      column(({ type, at, provider, connectionId, data }) => messageBody(type, at, { provider, connectionId, ...data })),
      this.options.giveUpAfterMs,
      column(({ urgent }) => urgent ?? false),
    ]);
    this.added = true;
  }

  async recordsChanged(runner: SqlRunner, changes: RecordChanges): Promise<void> {
    const { tenant, provider, connectionId, resource, cursor, created, updated, deleted, at } = changes;
    if (created + updated + deleted === 0 || !(await this.interest.wants(runner, 'record.changed', tenant))) return;
    const params = [connectionId, resource, tenant, provider, cursor, created, updated, deleted, at, this.options.gatherMs];
    await runner.query(GATHER_CHANGES, params);
  }

  /** Whether something was added since this was asked last. */
  takeAdded(): boolean {
    const { added } = this;
    this.added = false;
    return added;
  }
}

/** The form that Standard Webhooks recommends: `type`, `timestamp`, `data`. */
export function messageBody(type: string, at: Date, data: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ type, timestamp: at.toISOString(), data });
}
