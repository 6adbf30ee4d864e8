import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One version of what an organization makes of the records of a resource. The one that has not ended is in force. */
@Entity('record_mappings')
export class RecordMappingEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') tenant!: string;
  @Column('text') provider!: string;
  @Column('text') resource!: string;
  /** Of one connection only, in place of the organization's. Null: of all its connections. */
  @Column('uuid', { nullable: true }) connectionId!: string | null;
  /** Counted from 1 for each place. */
  @Column('integer') version!: number;
  /** JSONata. */
  @Column('text') expression!: string;
  /** The person who set it. */
  @Column('text') createdBy!: string;
  @Column('timestamptz') createdAt!: Date;
  @Column('timestamptz', { nullable: true }) endedAt!: Date | null;
  /** When all readers of the feed had been given the records anew; null while that goes on. */
  @Column('timestamptz', { nullable: true }) toldAt!: Date | null;
}
