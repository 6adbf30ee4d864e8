import type { IntegrationEventType } from './integration-events';
import type { SqlRunner } from './sql-runner';

/** What the product can be told by a webhook. */
export const OUTGOING_TYPES = [
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
export type OutgoingType = (typeof OUTGOING_TYPES)[number];

/** Something that is about to be committed. */
export interface OutgoingFact {
  /** What is no `OutgoingType` is told within the process only, and left out here. */
  readonly type: OutgoingType | IntegrationEventType;
  /** `OPERATOR` for what whoever runs the service is told. */
  readonly tenant: string;
  /** Null only of alerts, which need not be about one. */
  readonly provider: string | null;
  readonly connectionId: string | null;
  readonly at: Date;
  /** JSON. Never a secret. */
  readonly data: Readonly<Record<string, unknown>>;
  /** `webhook.received`: the provider's type of event, by which destinations choose. */
  readonly webhookType?: string;
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

/** Injection token of the `OutboxPort`. Without it the service does not start: what nobody stores would be lost in silence. */
export const OUTBOX = Symbol('OutboxPort');

/**
 * Takes what the product is to hear of, in the transaction of the fact itself: both are kept, or neither. Where a tenant has asked
 * for nothing this costs a look into a cache.
 */
export interface OutboxPort {
  /** Whether somebody wants this type; with a tenant: whether that tenant does. */
  wants(runner: SqlRunner, type: OutgoingType, tenant?: string): Promise<boolean>;
  add(runner: SqlRunner, facts: readonly OutgoingFact[]): Promise<void>;
  /** The caller holds the connection's turn to write. Changes within a few seconds become one message. */
  recordsChanged(runner: SqlRunner, changes: RecordChanges): Promise<void>;
}
