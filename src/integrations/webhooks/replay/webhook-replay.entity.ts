import { Column, Entity, PrimaryColumn } from 'typeorm';

export const REPLAY_STATES = ['queued', 'running', 'cancelling', 'completed', 'cancelled'] as const;
export type ReplayState = (typeof REPLAY_STATES)[number];

/** That somebody ran events again: who, which, how many; and how far a run of it is. */
@Entity('webhook_replays')
export class WebhookReplayEntity {
  @PrimaryColumn('uuid') id!: string;
  /** Null where it was not limited to one. */
  @Column('text', { nullable: true }) tenant!: string | null;
  /** e.g. `acme/u1`. */
  @Column('text') actor!: string;
  @Column('jsonb') filter!: object;
  @Column('integer') matched!: number;
  @Column('timestamptz') at!: Date;
  @Column('text') state!: ReplayState;
  @Column('integer') done!: number;
  @Column('integer') failed!: number;
  @Column('integer') skipped!: number;
  /** Of a run: the event after which it goes on, and the last one. Null where it was no run. */
  @Column('uuid', { nullable: true }) afterId!: string | null;
  @Column('uuid', { nullable: true }) lastId!: string | null;
  @Column('timestamptz', { nullable: true }) startedAt!: Date | null;
  @Column('timestamptz', { nullable: true }) endedAt!: Date | null;
  @Column('timestamptz') nextAttemptAt!: Date;
  @Column('integer') attempts!: number;
  @Column('uuid', { nullable: true }) leaseOwner!: string | null;
  @Column('timestamptz', { nullable: true }) leaseUntil!: Date | null;
}
