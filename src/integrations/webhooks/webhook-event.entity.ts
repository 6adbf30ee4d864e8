import { Column, Entity, PrimaryColumn } from 'typeorm';

export const EVENT_STATUSES = ['received', 'processing', 'completed', 'failed', 'dead'] as const;
export type EventStatus = (typeof EVENT_STATUSES)[number];

/** An attempt that failed. */
export interface FailedAttempt {
  /** When it ended: ISO. */
  readonly at: string;
  readonly attempt: number;
  /** Of the batch that the event was in; null where its process stopped. */
  readonly durationMs: number | null;
  /** Host and process; null where that process stopped. */
  readonly worker: string | null;
  readonly code: string;
  readonly error: string;
}

/** An event of a provider, for one connection or for nobody. */
@Entity('webhook_events')
export class WebhookEventEntity {
  /** UUIDv7: in the order of time. */
  @PrimaryColumn('uuid') id!: string;
  @Column('text') provider!: string;
  /** The provider's name for it. */
  @Column('text') eventId!: string;
  @Column('text') type!: string;
  @Column('text', { nullable: true }) routingKey!: string | null;
  @Column('uuid', { nullable: true }) connectionId!: string | null;
  @Column('text', { nullable: true }) tenant!: string | null;
  @Column('text', { nullable: true }) objectKey!: string | null;
  @Column('numeric', { nullable: true }) objectVersion!: string | null;
  @Column('text') status!: EventStatus;
  @Column('integer') attempts!: number;
  @Column('timestamptz') nextAttemptAt!: Date;
  @Column('timestamptz', { nullable: true }) leaseUntil!: Date | null;
  @Column('uuid', { nullable: true }) leaseOwner!: string | null;
  @Column('timestamptz') receivedAt!: Date;
  @Column('timestamptz', { nullable: true }) processedAt!: Date | null;
  @Column('text', { nullable: true }) lastError!: string | null;
  @Column('text', { nullable: true }) errorCode!: string | null;
  /** The newest of the attempts that failed, those before a replay included. */
  @Column('jsonb', { nullable: true }) failures!: FailedAttempt[] | null;
  /** Null once its time is over. */
  @Column('uuid', { nullable: true }) payloadId!: string | null;
  /** The replay whose batch it is in, until its outcome is counted there. */
  @Column('uuid', { nullable: true }) replayId!: string | null;
}
