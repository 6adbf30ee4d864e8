import { Column, Entity, PrimaryColumn } from 'typeorm';

export type AlertState = 'open' | 'acknowledged' | 'resolved';

/** A rule that is broken, or was. Of those that are not resolved there is one for each key. */
@Entity('alerts')
export class AlertEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') kind!: string;
  @Column('text') key!: string;
  @Column('text') severity!: 'warning' | 'critical';
  @Column('text', { nullable: true }) provider!: string | null;
  /** Null: the operator's alone. */
  @Column('text', { nullable: true }) tenant!: string | null;
  @Column('uuid', { nullable: true }) connectionId!: string | null;
  @Column('text') state!: AlertState;
  @Column('text') title!: string;
  @Column('text') detail!: string;
  @Column('text') nextStep!: string;
  @Column('integer') count!: number;
  @Column('timestamptz') openedAt!: Date;
  @Column('timestamptz') lastSeenAt!: Date;
  @Column('timestamptz', { nullable: true }) acknowledgedAt!: Date | null;
  @Column('text', { nullable: true }) acknowledgedBy!: string | null;
  @Column('timestamptz', { nullable: true }) resolvedAt!: Date | null;
}
