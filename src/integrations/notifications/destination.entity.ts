import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Match, OutboxEventType } from './outbox';

export type PauseReason = 'asked' | 'failing' | 'gone';

/** An address of the product that wants events. */
@Entity('destinations')
export class DestinationEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') tenant!: string;
  @Column('text') name!: string;
  @Column('text') url!: string;
  @Column('text', { array: true }) events!: OutboxEventType[];
  /** `provider/type`, or a beginning and `*`; empty: all. */
  @Column('text', { array: true }) webhookTypes!: string[];
  /** `all`: of all organizations, for whoever runs the service; `tenant` is empty then. */
  @Column('text') scope!: 'tenant' | 'all';
  /** The order is kept of what has the same object. */
  @Column('boolean') ordered!: boolean;
  /** What messages have to have; null: whatever. */
  @Column('jsonb', { nullable: true }) match!: Match | null;
  @Column('text') status!: 'active' | 'paused';
  @Column('text', { nullable: true }) pausedReason!: PauseReason | null;
  @Column('timestamptz', { nullable: true }) pausedAt!: Date | null;
  /** What waited while it was paused has its whole time again from here on. */
  @Column('timestamptz', { nullable: true }) resumedAt!: Date | null;
  /** In a row. */
  @Column('integer') failures!: number;
  @Column('timestamptz', { nullable: true }) failingSince!: Date | null;
  /** Rests until then. */
  @Column('timestamptz', { nullable: true }) retryAt!: Date | null;
  @Column('text', { nullable: true }) lastError!: string | null;
  @Column('timestamptz') createdAt!: Date;
  @Column('timestamptz') updatedAt!: Date;
}
