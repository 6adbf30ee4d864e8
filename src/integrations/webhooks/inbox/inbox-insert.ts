import { v7 as uuidv7 } from 'uuid';
import type { IncomingEvent } from '../../contract';
import type { SqlRunner } from '../../connections';
import { CLAIMED_COLUMNS_BUT_BODY } from '../processing/claim.queries';
import { claimedEventOf, type ClaimedEvent, type ClaimedRow } from '../processing/claimed-event';

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
 * events never wait for each other crosswise. A row that is there already stays as it is. The bodies come as one run of bytes:
 * neither side has to spell them out. $3 owner and $4 lease in seconds where they are claimed as they are stored, else null.
 */
const INSERT = `
  WITH stored AS (
  INSERT INTO webhook_events (id, provider, event_id, type, routing_key, connection_id, tenant, object_key, object_version, headers, body,
    status, attempts, lease_owner, lease_until)
  SELECT (substr(e.id::text, 1, 15) || substr(gen_random_uuid()::text, 16))::uuid,
    e.provider, e.event_id, e.type, e.routing_key, c.id, coalesce(c.tenant, e.tenant), e.object_key, e.object_version, e.headers,
    substring($2::bytea FROM e.body_from FOR e.body_length),
    CASE WHEN $3::uuid IS NULL THEN 'received' ELSE 'processing' END, CASE WHEN $3::uuid IS NULL THEN 0 ELSE 1 END,
    $3::uuid, now() + make_interval(secs => $4::int)
  FROM json_to_recordset($1::json) AS e (id uuid, provider text, event_id text, type text, routing_key text, connection_id uuid, tenant text,
    object_key text, object_version numeric, headers jsonb, body_from int, body_length int)
  LEFT JOIN LATERAL (
    SELECT k.id, k.tenant FROM connections k
      WHERE e.connection_id IS NULL AND k.provider = e.provider AND k.routing_key = e.routing_key AND k.status <> 'disconnected'
    UNION ALL
    SELECT k.id, k.tenant FROM connections k WHERE k.id = e.connection_id AND k.provider = e.provider AND k.status <> 'disconnected'
  ) c ON e.tenant IS NULL OR c.tenant = e.tenant
  ORDER BY e.provider, e.event_id, c.id
  ON CONFLICT DO NOTHING RETURNING *)
  SELECT ${CLAIMED_COLUMNS_BUT_BODY} FROM stored c LEFT JOIN connections k ON k.id = c.connection_id`;

const LONE_SURROGATE = /\p{Surrogate}/u;
const LONE_SURROGATES = /\p{Surrogate}/gu;

/** For whom events are claimed as they are stored. */
export interface DirectClaim {
  readonly owner: string;
  readonly leaseSeconds: number;
}

/** Stores events, in whatever transaction `runner` stands; gives those that were not there before, claimed where a claim is given. */
export async function insertEvents(runner: SqlRunner, events: readonly NewEvent[], claim?: DirectClaim): Promise<ClaimedEvent[]> {
  const bodies = new Map(events.map(({ provider, event, body }) => [`${provider}/${wellFormed(event.eventId)}`, body]));
  const rows = await runner.query<ClaimedRow>(INSERT, paramsOf(events, claim));
  return rows.map((row) => claimedEventOf({ ...row, body: bodies.get(`${row.provider}/${row.event_id}`) ?? null }));
}

function paramsOf(events: readonly NewEvent[], claim?: DirectClaim): [string, Buffer, string | null, number | null] {
  let end = 0;
  const rows = events.map(({ provider, event, tenant, headers, body }) => {
    const body_from = end + 1; // Postgres counts from one
    end += body.length;
    return {
      id: uuidv7(),
      provider,
      event_id: wellFormed(event.eventId),
      type: wellFormed(event.type),
      routing_key: event.routingKey && wellFormed(event.routingKey),
      connection_id: event.connectionId,
      tenant,
      object_key: event.objectKey && wellFormed(event.objectKey),
      object_version: Number.isFinite(event.objectVersion) ? event.objectVersion : undefined,
      headers,
      body_from,
      body_length: body.length,
    };
  });
  const bodies = events.map(({ body }) => body);
  return [JSON.stringify(rows), Buffer.concat(bodies, end), claim?.owner ?? null, claim?.leaseSeconds ?? null];
}

/** Half a surrogate pair cannot be stored; it becomes the replacement character, as in every encoder. */
function wellFormed(text: string): string {
  return LONE_SURROGATE.test(text) ? text.replace(LONE_SURROGATES, '\ufffd') : text;
}
