import type { DataSource, EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { IncomingEvent } from '../../contract';
import { prepared } from '../../../database';
import { CONNECTIONS, RECEIVERS } from '../../connections';
import { CLAIMED_COLUMNS } from '../processing/claim.queries';
import { claimedEventOf, type ClaimedEvent, type ClaimedRow } from '../processing/claimed-event';
import { StoredPayload } from '../stored-payload';

/** A delivery as it is about to be stored. */
export interface NewDelivery {
  readonly provider: string;
  /** Only connections of this tenant are concerned: the delivery was verified with the tenant's own secret. */
  readonly tenant?: string;
  /** The client whose secret it was verified with: an organization's own by its id, '' for the operator's. Absent: with another secret. */
  readonly client?: string;
  readonly payload: StoredPayload;
  readonly events: readonly IncomingEvent[];
}

/**
 * One row for each event and connection whose grant may see it (one that has ended sees nothing), or one without a connection; and one payload for each delivery that
 * brought something new. Sorted, so that two writers with the same events never wait for each other crosswise. A row that is there
 * already stays as it is. The bodies come as one run of bytes: neither side has to spell them out. Events and payloads come as two
 * flat lists: of nested ones the planner expects ten thousand rows and compiles the statement first, which takes 25 times as long.
 * $1 events, $2 bodies, $3 owner and $4 lease in seconds where the events are claimed as they are stored, else null, $5 payloads.
 */
const EVENTS = `
  INSERT INTO webhook_events (id, payload_id, provider, event_id, type, routing_key, connection_id, tenant, object_key, object_version,
    status, attempts, lease_owner, lease_until)
  SELECT (substr(e.payload_id::text, 1, 15) || substr(gen_random_uuid()::text, 16))::uuid, e.payload_id,
    e.provider, e.event_id, e.type, e.routing_key, c.id, coalesce(c.tenant, e.tenant), e.object_key, e.object_version,
    CASE WHEN $3::uuid IS NULL THEN 'received' ELSE 'processing' END, CASE WHEN $3::uuid IS NULL THEN 0 ELSE 1 END,
    $3::uuid, now() + make_interval(secs => $4::int)
  FROM json_to_recordset($1::json) AS e (payload_id uuid, provider text, tenant text, client text, event_id text, type text, routing_key text,
    connection_id uuid, object_key text, object_version numeric, seen_by text[], personal boolean)
  LEFT JOIN LATERAL (
${RECEIVERS}
  ) c ON e.tenant IS NULL OR c.tenant = e.tenant
  ORDER BY e.provider, e.event_id, c.id
  ON CONFLICT DO NOTHING`;

const PAYLOADS = `
  INSERT INTO webhook_payloads (id, headers, body)
  SELECT p.id, p.headers, substring($2::bytea FROM p.body_from FOR p.body_length)
  FROM json_to_recordset($5::json) AS p (id uuid, headers jsonb, body_from int, body_length int)
  WHERE p.id IN (SELECT payload_id FROM stored)`;

/** Both are always prepared: to parse and plan them takes half as long again as to store forty events (docs/decisions/0008). */
const STORE = `WITH stored AS (${EVENTS} RETURNING payload_id) ${PAYLOADS}`;

/** What was new is read back: that costs a tenth of a delivery. */
const INSERT = `
  WITH stored AS (${EVENTS} RETURNING *), payloads AS (${PAYLOADS})
  SELECT ${CLAIMED_COLUMNS} FROM stored c LEFT JOIN ${CONNECTIONS} k ON k.id = c.connection_id`;

const NO_BODY = Buffer.alloc(0);
const LONE_SURROGATE = /\p{Surrogate}/u;
const LONE_SURROGATES = /\p{Surrogate}/gu;

/** For whom events are claimed as they are stored. */
export interface DirectClaim {
  readonly owner: string;
  readonly leaseSeconds: number;
}

/** Stores deliveries; a delivery that is there already changes nothing. */
export async function storeDeliveries(db: DataSource | EntityManager, deliveries: readonly NewDelivery[]): Promise<void> {
  await prepared(db, 'inbox_store', STORE, paramsOf(deliveries).values);
}

/** As `storeDeliveries`; gives the events that were not there before, claimed where a claim is given. */
export async function insertDeliveries(
  db: DataSource | EntityManager,
  deliveries: readonly NewDelivery[],
  claim?: DirectClaim,
): Promise<ClaimedEvent[]> {
  const { values, payloads } = paramsOf(deliveries, claim);
  const rows = await prepared<ClaimedRow>(db, 'inbox_insert', INSERT, values);
  return rows.map((row) => claimedEventOf(row, payloads.get(row.payload_id ?? '') as StoredPayload));
}

function paramsOf(
  deliveries: readonly NewDelivery[],
  { owner, leaseSeconds }: Partial<DirectClaim> = {},
): { values: unknown[]; payloads: ReadonlyMap<string, StoredPayload> } {
  const payloads = new Map<string, StoredPayload>();
  const bodies: Buffer[] = [];
  const places: object[] = [];
  const events: object[] = [];
  let end = 0;
  for (const { provider, tenant, client, payload, events: brought } of deliveries) {
    const id = uuidv7();
    const body = payload.body ?? NO_BODY;
    payloads.set(id, payload);
    bodies.push(body);
    places.push({ id, headers: payload.headers, body_from: end + 1, body_length: body.length }); // Postgres counts from one
    end += body.length;
    for (const event of brought) events.push({ payload_id: id, provider, tenant, client, ...columnsOf(event) });
  }
  const values = [JSON.stringify(events), Buffer.concat(bodies, end), owner ?? null, leaseSeconds ?? null, JSON.stringify(places)];
  return { values, payloads };
}

function columnsOf({ eventId, type, routingKey, connectionId, objectKey, objectVersion, seenBy }: IncomingEvent): object {
  return {
    event_id: wellFormed(eventId),
    type: wellFormed(type),
    routing_key: routingKey && wellFormed(routingKey),
    connection_id: connectionId,
    seen_by: seenBy?.slots.map(wellFormed),
    personal: seenBy?.personal ?? false,
    object_key: objectKey && wellFormed(objectKey),
    object_version: Number.isFinite(objectVersion) ? objectVersion : undefined,
  };
}

/** Half a surrogate pair cannot be stored; it becomes the replacement character, as in every encoder. */
function wellFormed(text: string): string {
  return LONE_SURROGATE.test(text) ? text.replace(LONE_SURROGATES, '\ufffd') : text;
}
