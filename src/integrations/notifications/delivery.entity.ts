import { Column, Entity, PrimaryColumn } from 'typeorm';

export const DELIVERY_STATUSES = ['pending', 'sending', 'delivered', 'dead'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

export interface DeliveryTry {
  readonly at: string;
  readonly status: number | null;
  readonly error: string | null;
  readonly durationMs: number;
}

/** One event on its way to one destination. */
@Entity('deliveries')
export class DeliveryEntity {
  @PrimaryColumn('uuid') id!: string;
  /** Of the event, in the outbox. */
  @Column('uuid') messageId!: string;
  @Column('uuid') destinationId!: string;
  @Column('text') tenant!: string;
  @Column('text') type!: string;
  @Column('text') status!: DeliveryStatus;
  @Column('integer') attempts!: number;
  @Column('timestamptz') nextAttemptAt!: Date;
  @Column('timestamptz') giveUpAt!: Date;
  /** A test: not repeated, and no failure of the destination. */
  @Column('boolean') once!: boolean;
  @Column('uuid', { nullable: true }) leaseOwner!: string | null;
  @Column('timestamptz', { nullable: true }) leaseUntil!: Date | null;
  /** Of an ordered destination: one after another of those that have the same. */
  @Column('bigint', { nullable: true }) orderKey!: string | null;
  @Column('bigint', { nullable: true }) orderNumber!: string | null;
  /** Of the last try. */
  @Column('integer', { nullable: true }) responseStatus!: number | null;
  @Column('text', { nullable: true }) errorCode!: string | null;
  /** The last tries, oldest first. */
  @Column('jsonb') log!: DeliveryTry[];
  @Column('timestamptz') createdAt!: Date;
  @Column('timestamptz', { nullable: true }) deliveredAt!: Date | null;
}
