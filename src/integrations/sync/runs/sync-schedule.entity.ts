import { Column, Entity, PrimaryColumn } from 'typeorm';

/** When a connection is due. Times are the database's. */
@Entity('sync_schedules')
export class SyncScheduleEntity {
  @PrimaryColumn('uuid') connectionId!: string;
  @Column('timestamptz') nextIncrementalAt!: Date;
  @Column('timestamptz') nextFullAt!: Date;
  @Column('timestamptz') nextDueAt!: Date;
  /** Null: as the settings say. */
  @Column('integer', { nullable: true }) incrementalSeconds!: number | null;
  @Column('integer', { nullable: true }) fullSeconds!: number | null;
  /** In a row. */
  @Column('integer') failures!: number;
  @Column('boolean') enabled!: boolean;
}
