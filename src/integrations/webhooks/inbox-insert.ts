import { v7 as uuidv7 } from 'uuid';
import type { IncomingEvent } from '../provider';
import type { SqlRunner } from '../connections';

/** An event as it is about to be stored. */
export interface NewEvent {
  readonly provider: string;
  readonly event: IncomingEvent;
  /** Only connections of this tenant are concerned: the delivery was verified with the tenant's own secret. */
  readonly tenant?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * One row for each connection that the account has, or one without a connection. Sorted, so that two writers with the same
 * events never wait for each other crosswise. A row that is there already stays as it is.
 */
const INSERT = `
  INSERT INTO webhook_events (id, provider, event_id, type, routing_key, connection_id, tenant, object_key, object_version, headers, body)
  SELECT (substr(e.id::text, 1, 15) || substr(gen_random_uuid()::text, 16))::uuid,
    e.provider, e.event_id, e.type, e.routing_key, c.id, coalesce(c.tenant, e.tenant), e.object_key, e.object_version, e.headers::jsonb, e.body
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::numeric[], $10::text[], $11::bytea[])
    AS e (id, provider, event_id, type, routing_key, connection_id, tenant, object_key, object_version, headers, body)
  LEFT JOIN LATERAL (
    SELECT k.id, k.tenant FROM connections k
      WHERE e.connection_id IS NULL AND k.provider = e.provider AND k.routing_key = e.routing_key AND k.status <> 'disconnected'
    UNION ALL
    SELECT k.id, k.tenant FROM connections k WHERE k.id = e.connection_id::uuid AND k.provider = e.provider AND k.status <> 'disconnected'
  ) c ON e.tenant IS NULL OR c.tenant = e.tenant
  ORDER BY e.provider, e.event_id, c.id
  ON CONFLICT DO NOTHING`;

/** A row that was not there before. */
export interface StoredEvent {
  readonly id: string;
  readonly provider: string;
  readonly event_id: string;
  readonly type: string;
  readonly tenant: string | null;
  readonly connection_id: string | null;
}

const TELLING = `${INSERT} RETURNING id, provider, event_id, type, tenant, connection_id`;

export async function insertEvents(runner: SqlRunner, events: readonly NewEvent[]): Promise<void> {
  await runner.query(INSERT, paramsOf(events));
}

/** As `insertEvents`; tells which rows are new. */
export function insertAndTell(runner: SqlRunner, events: readonly NewEvent[]): Promise<StoredEvent[]> {
  return runner.query<StoredEvent>(TELLING, paramsOf(events));
}

function paramsOf(events: readonly NewEvent[]): unknown[] {
  const column = <T>(read: (event: NewEvent) => T) => events.map(read);
  return [
    column(() => uuidv7()),
    column(({ provider }) => provider),
    column(({ event }) => event.eventId),
    column(({ event }) => event.type),
    column(({ event }) => event.routingKey ?? null),
    column(({ event }) => event.connectionId ?? null),
    column(({ tenant }) => tenant ?? null),
    column(({ event }) => event.objectKey ?? null),
    column(({ event }) => (Number.isFinite(event.objectVersion) ? event.objectVersion : null)),
    column(({ headers }) => JSON.stringify(headers)),
    column(({ body }) => body),
  ];
}
