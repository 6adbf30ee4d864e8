import type { IntegrationEventType } from '../../integration-events';

/** What the product can be told by a webhook. */
export const OUTBOX_EVENT_TYPES = [
  'connection.connected',
  'connection.needs_reauth',
  'connection.disconnected',
  'sync.completed',
  'sync.failed',
  'record.changed',
  'webhook.received',
  'alert.opened',
  'alert.resolved',
] as const;
export type OutboxEventType = (typeof OUTBOX_EVENT_TYPES)[number];

/** Something that has happened, about to be committed. */
export interface OutboxEvent {
  /** What is no `OutboxEventType` is told within the process only, and left out here. */
  readonly type: OutboxEventType | IntegrationEventType;
  /** `OPERATOR` for what whoever runs the service is told. */
  readonly tenant: string;
  /** Null only of alerts, which need not be about one. */
  readonly provider: string | null;
  readonly connectionId: string | null;
  readonly at: Date;
  /** JSON. Never a secret. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Becomes `data.payload`, as JSON. The same object in several events is stored once: a delivery of 200 events is not 200 copies. */
  readonly payload?: { readonly value: unknown };
  /** `webhook.received`: the provider's type of event, by which destinations choose. */
  readonly webhookType?: string;
  /** What messages are kept in order by, at destinations that ask for it; the connection where it is absent. */
  readonly object?: string;
  /** Where it happened, of its trace. Default: the one in hand. */
  readonly traceparent?: string | undefined;
  /** Goes before all that waits for its destinations. */
  readonly urgent?: boolean;
}

/** Records that are about to be changed. */
export interface RecordChanges {
  readonly tenant: string;
  readonly provider: string;
  readonly connectionId: string;
  readonly resource: string;
  /** Of the change feed: reading from here gives these changes. */
  readonly cursor: string;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly at: Date;
}

/** The tenant of what belongs to whoever runs the service. No user has it: tenants are not empty. */
export const OPERATOR = '';
