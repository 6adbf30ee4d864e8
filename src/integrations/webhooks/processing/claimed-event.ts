import type { ConnectionRef, WebhookEvent } from '../../contract';

/** A stored event in the hands of this process, until its lease ends. */
export interface ClaimedEvent {
  readonly id: string;
  readonly provider: string;
  readonly eventId: string;
  readonly type: string;
  readonly tenant: string | null;
  /** Absent where nobody connected the account. */
  readonly connection?: ConnectionRef;
  readonly objectKey?: string;
  readonly objectVersion?: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null once the payload's time is over. */
  readonly body: Buffer | null;
  readonly receivedAt: Date;
  /** This one included. */
  readonly attempts: number;
  /** Of the claim: what is settled under another one is not ours any more. */
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
  headers: Record<string, string>;
  body: Buffer | null;
  received_at: Date;
  attempts: number;
  lease_owner: string;
  user_id: string | null;
  account_id: string | null;
  auth_type: 'oauth2' | 'api_key' | null;
  metadata: Record<string, unknown> | null;
}

export function claimedEventOf(row: ClaimedRow): ClaimedEvent {
  return {
    id: row.id,
    provider: row.provider,
    eventId: row.event_id,
    type: row.type,
    tenant: row.tenant,
    ...(row.connection_id !== null && row.user_id !== null && { connection: connectionOf(row) }),
    ...(row.object_key !== null && { objectKey: row.object_key }),
    ...(row.object_version !== null && { objectVersion: Number(row.object_version) }),
    headers: row.headers,
    body: row.body,
    receivedAt: row.received_at,
    attempts: row.attempts,
    leaseOwner: row.lease_owner,
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
    payload: payloadOf(event),
    headers: event.headers,
    receivedAt: event.receivedAt,
    attempt: event.attempts,
    ...(event.objectKey !== undefined && { objectKey: event.objectKey }),
    ...(event.objectVersion !== undefined && { objectVersion: event.objectVersion }),
  };
}

/** JSON, a form, or text; undefined for an empty body. */
export function payloadOf({ body, headers }: Pick<ClaimedEvent, 'body' | 'headers'>): unknown {
  if (!body || body.length === 0) return undefined;
  const text = body.toString('utf8');
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded')) return Object.fromEntries(new URLSearchParams(text));
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
