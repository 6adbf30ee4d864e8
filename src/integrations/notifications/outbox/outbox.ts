import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { EntityManager } from 'typeorm';
import { asServiceWithin, prepared, type SqlRunner } from '../../../database';
import { traceInHand } from '../../../tracing';
import { DestinationInterest } from './destination-interest';
import { OPERATOR, OUTBOX_EVENT_TYPES, type OutboxEvent, type OutboxEventType, type RecordChanges } from './outbox-event';
import { ADD_EVENTS, GATHER_CHANGES } from './outbox.queries';

/** After this a delivery that fails is given up, ms: 24 hours. */
export const GIVE_UP_AFTER_MS = 24 * 3_600_000;
/** Record changes are gathered for this, ms. */
const GATHER_MS = 3_000;

const FEW = 8;

const TYPES: ReadonlySet<string> = new Set(OUTBOX_EVENT_TYPES);

/**
 * Takes what the product is to hear of, in the transaction of what happened: both are kept, or neither. Where a tenant has asked for
 * nothing this costs a look into a cache.
 */
@Injectable()
export class Outbox {
  private added = false;

  constructor(private readonly interest: DestinationInterest) {}

  /** Whether somebody wants this type; with a tenant: whether that tenant does. */
  wants(runner: SqlRunner, type: OutboxEventType, tenant?: string): Promise<boolean> {
    return this.interest.wants(runner, type, tenant);
  }

  async add(runner: SqlRunner, events: readonly OutboxEvent[]): Promise<void> {
    const wanted: OutboxEvent[] = [];
    for (const event of events) {
      if (TYPES.has(event.type) && (await this.interest.wants(runner, event.type as OutboxEventType, event.tenant))) wanted.push(event);
    }
    if (wanted.length === 0) return;
    const ids = wanted.map(() => uuidv7());
    const choosing = await this.choosing(runner, wanted, ids);
    const column = <T>(read: (event: OutboxEvent) => T) => wanted.map(read);
    const params = [
      ids,
      column(({ tenant }) => tenant),
      column(({ type }) => type),
      column(({ connectionId }) => connectionId),
      column(({ webhookType }) => webhookType ?? null),
      column(({ at }) => at),
      column((event) => messageBody(event.type, event.at, event.tenant, dataOf(event))),
      GIVE_UP_AFTER_MS,
      column(({ urgent }) => urgent ?? false),
      ...payloadsOf(wanted),
      column(({ object, connectionId, type }) => object ?? connectionId ?? type),
      ...choosing,
      column(({ traceparent }) => traceparent ?? traceInHand() ?? null),
    ];
    const store = () => this.store(runner, wanted.length, params);
    await ((await this.interest.anyToAll(runner)) ? asServiceWithin(runner, store) : store());
    this.added = true;
  }

  private async store(runner: SqlRunner, count: number, params: unknown[]): Promise<void> {
    // To plan for few takes longer than to store them (docs/decisions/0014).
    if (count <= FEW && runner instanceof EntityManager) await prepared(runner, 'outbox_add_events', ADD_EVENTS, params);
    else await runner.query(ADD_EVENTS, params);
  }

  /** Which events go to which of the destinations that choose by content. */
  private async choosing(runner: SqlRunner, events: readonly OutboxEvent[], ids: readonly string[]): Promise<[string[], string[]]> {
    const chosen: [events: string[], destinations: string[]] = [[], []];
    for (const [index, event] of events.entries()) {
      const { type, tenant, payload } = event;
      const message = () => ({ type, tenant, data: { ...dataOf(event), ...(payload && { payload: payload.value }) } });
      for (const destination of await this.interest.matching(runner, tenant, type, message)) {
        chosen[0].push(ids[index]!);
        chosen[1].push(destination);
      }
    }
    return chosen;
  }

  /** The caller holds the connection's turn to write. Changes within a few seconds become one event. */
  async recordsChanged(runner: SqlRunner, changes: RecordChanges): Promise<void> {
    const { tenant, provider, connectionId, resource, cursor, created, updated, deleted, at } = changes;
    if (created + updated + deleted === 0 || !(await this.interest.wants(runner, 'record.changed', tenant))) return;
    const params = [connectionId, resource, tenant, provider, cursor, created, updated, deleted, at, GATHER_MS];
    await runner.query(GATHER_CHANGES, params);
  }

  /** Whether something was added since this was asked last. */
  takeAdded(): boolean {
    const { added } = this;
    this.added = false;
    return added;
  }
}

type Columns = [ofEvents: (string | null)[], ids: string[], tenants: string[], connections: string[], bodies: string[], times: Date[]];

/** Each payload once for each connection, so that it ends with the connection; and for each event which is its own. */
function payloadsOf(events: readonly OutboxEvent[]): Columns {
  const known = new Map<unknown, { body: string; ids: Map<string, string> }>();
  const columns: Columns = [[], [], [], [], [], []];
  const [ofEvents, ids, tenants, connections, bodies, times] = columns;
  for (const { payload, tenant, connectionId, at } of events) {
    if (!payload || connectionId === null) {
      ofEvents.push(null);
      continue;
    }
    const one = known.get(payload) ?? { body: JSON.stringify(payload.value ?? null), ids: new Map<string, string>() };
    known.set(payload, one);
    let id = one.ids.get(connectionId);
    if (id === undefined) {
      one.ids.set(connectionId, (id = uuidv7()));
      ids.push(id);
      tenants.push(tenant);
      connections.push(connectionId);
      bodies.push(one.body);
      times.push(at);
    }
    ofEvents.push(id);
  }
  return columns;
}

/** What is sent: a message that points to a payload has it as the last member of its `data`. */
export function bodyWithPayload(body: string, payload: string | null): string {
  return payload === null ? body : `${body.slice(0, -2)},"payload":${payload}}}`;
}

function dataOf({ provider, connectionId, data }: OutboxEvent): Record<string, unknown> {
  return { provider, connectionId, ...data };
}

/** The form that Standard Webhooks recommends, `type`, `timestamp`, `data`, and whose it is: null for whoever runs the service. */
export function messageBody(type: string, at: Date, tenant: string, data: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ type, timestamp: at.toISOString(), tenant: tenant === OPERATOR ? null : tenant, data });
}
