import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * `creating`: the provider is being asked; a first notification may come before its answer. `active`. `replaced`: a newer one is
 * there, this one ends by itself or when it is stopped. `refused`: the provider does not watch this; it is asked again at its end.
 */
export type WatchStatus = 'creating' | 'active' | 'replaced' | 'refused';

/** What a provider tells of by itself, for as long as it was asked to. */
@Entity('sync_watches')
export class SyncWatchEntity {
  @PrimaryColumn('uuid') channelId!: string;
  @Column('uuid') connectionId!: string;
  @Column('text') resource!: string;
  @Column('text') partition!: string;
  @Column('text') remoteId!: string;
  /** SHA-256, hex. */
  @Column('text') tokenHash!: string;
  @Column('text') status!: WatchStatus;
  @Column('timestamptz', { nullable: true }) expiresAt!: Date | null;
  @Column('bigint') lastMessage!: string;
  /** Until then one process renews it. */
  @Column('timestamptz', { nullable: true }) leaseUntil!: Date | null;
  @Column('timestamptz') createdAt!: Date;
}
