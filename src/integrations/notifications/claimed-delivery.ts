import type { ClaimedJob } from '../jobs';
import { bodyWithPayload } from './outbox';

/** A delivery in the hands of this process, until its lease ends. */
export interface ClaimedDelivery extends ClaimedJob {
  /** The same on every try and for every destination. */
  readonly messageId: string;
  readonly destinationId: string;
  readonly tenant: string;
  readonly type: string;
  /** A test: not repeated, and no failure of the destination. */
  readonly once: boolean;
  readonly body: string;
  /** Where the message was written, of its trace. */
  readonly traceparent: string | null;
  readonly url: string;
  readonly failing: boolean;
  /** Encrypted, newest first. */
  readonly secrets: readonly StoredSecret[];
}

export interface StoredSecret {
  readonly id: string;
  readonly secret: string;
}

export interface ClaimedDeliveryRow {
  id: string;
  message_id: string;
  destination_id: string;
  tenant: string;
  type: string;
  attempts: number;
  once: boolean;
  lease_owner: string;
  body: string;
  traceparent: string | null;
  payload: string | null;
  url: string;
  failing: boolean;
  secrets: StoredSecret[] | null;
}

export function claimedDeliveryOf(row: ClaimedDeliveryRow): ClaimedDelivery {
  const { message_id: messageId, destination_id: destinationId, lease_owner: lease, secrets, body, payload, ...same } = row;
  return { ...same, body: bodyWithPayload(body, payload), messageId, destinationId, lease, secrets: secrets ?? [] };
}
