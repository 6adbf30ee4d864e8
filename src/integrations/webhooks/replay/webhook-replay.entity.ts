import { Column, Entity, PrimaryColumn } from 'typeorm';

/** That somebody ran events again: who, which, how many. */
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
}
