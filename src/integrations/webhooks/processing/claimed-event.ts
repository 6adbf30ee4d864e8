import type { Sealed } from '../../connections';
import type { ConnectionRef, WebhookEvent } from '../../contract';
import { StoredPayload } from '../stored-payload';

/** A stored event in the hands of this process, until its lease ends. */
export interface ClaimedEvent {
  readonly id: string;
  readonly provider: string;
  readonly eventId: string;
  readonly type: string;
  readonly tenant: string | null;
  /** Absent where nobody connected the account. */
  readonly connection?: ConnectionRef;
  /** Of the connection. */
  readonly seal?: Sealed;
  readonly objectKey?: string;
  readonly objectVersion?: number;
  /** Of its delivery, shared with the events that came with it. */
  readonly payload: StoredPayload;
  readonly receivedAt: Date;
  /** This one included. */
  readonly attempts: number;
  /** Of the claim: what is settled under another one is not ours any more. Empty where the event was stored without one. */
  readonly leaseOwner: string;
}

export interface ClaimedRow {
  id: string;
  provider: string;
  event_id: string;
  type: string;
  tenant: string | null;
  connection_id: string | null;
  object_key: string | null;
  object_version: string | null;
  payload_id: string | null;
  received_at: Date;
  attempts: number;
  lease_owner: string | null;
  user_id: string | null;
  account_id: string | null;
  auth_type: 'oauth2' | 'api_key' | null;
  metadata: Record<string, unknown> | null;
  sealed: unknown;
  seal: string | null;
}

/** The payload comes with the first event of each delivery only. */
export interface ClaimedRowWithPayload extends ClaimedRow {
  headers: Record<string, string> | null;
  body: Buffer | null;
}

const NO_PAYLOAD = new StoredPayload({}, null);

export function claimedEventsOf(rows: readonly ClaimedRowWithPayload[]): ClaimedEvent[] {
  const payloads = new Map<string | null, StoredPayload>();
  for (const { payload_id, headers, body } of rows) if (headers) payloads.set(payload_id, new StoredPayload(headers, body));
  return rows.map((row) => claimedEventOf(row, payloads.get(row.payload_id) ?? NO_PAYLOAD));
}

export function claimedEventOf(row: ClaimedRow, payload: StoredPayload): ClaimedEvent {
  return {
    id: row.id,
    provider: row.provider,
    eventId: row.event_id,
    type: row.type,
    tenant: row.tenant,
    ...(row.connection_id !== null &&
      row.user_id !== null && { connection: connectionOf(row), seal: { sealed: row.sealed, seal: row.seal } }),
    ...(row.object_key !== null && { objectKey: row.object_key }),
    ...(row.object_version !== null && { objectVersion: Number(row.object_version) }),
    payload,
    receivedAt: row.received_at,
    attempts: row.attempts,
    leaseOwner: row.lease_owner ?? '',
  };
}

function connectionOf(row: ClaimedRow): ConnectionRef {
  return {
    id: row.connection_id ?? '',
    tenant: row.tenant ?? '',
    userId: row.user_id ?? '',
    provider: row.provider,
    accountId: row.account_id ?? '',
    authType: row.auth_type ?? 'oauth2',
    metadata: row.metadata ?? {},
  };
}

/** The event as its handlers get it. */
export function handlerEventOf(event: ClaimedEvent): WebhookEvent {
  return {
    id: event.id,
    provider: event.provider,
    eventId: event.eventId,
    type: event.type,
    payload: event.payload.value,
    headers: event.payload.headers,
    receivedAt: event.receivedAt,
    attempt: event.attempts,
    ...(event.objectKey !== undefined && { objectKey: event.objectKey }),
    ...(event.objectVersion !== undefined && { objectVersion: event.objectVersion }),
  };
}
