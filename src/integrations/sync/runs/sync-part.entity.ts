import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ErrorCode } from '../../../errors';

/** A part of a connection's sync of which something is to be known. Where all is read and nothing is left out there is no row. */
@Entity('sync_parts')
export class SyncPartEntity {
  @PrimaryColumn('uuid') connectionId!: string;
  @PrimaryColumn('text') resource!: string;
  @PrimaryColumn('text') partition!: string;
  /** The resource itself: the list of its partitions. `partition` is empty then. */
  @PrimaryColumn('boolean') whole!: boolean;
  /** As people read the resource: "Calendar events". */
  @Column('text') label!: string;
  /** What its list leaves out, in words. Null: nothing, as far as is known. */
  @Column('text', { nullable: true }) extent!: string | null;
  /** Records of it that are stored as they came, since they do not have the declared shape. */
  @Column('integer') shapeErrors!: number;
  /** Of the first of them: what is wrong with it. */
  @Column('text', { nullable: true }) shapeError!: string | null;
  /** Tries in a row that could not read it. A run that did not try it changes nothing. */
  @Column('integer') failures!: number;
  @Column('text', { nullable: true }) errorCode!: ErrorCode | null;
  @Column('text', { nullable: true }) errorMessage!: string | null;
  @Column('timestamptz', { nullable: true }) failingSince!: Date | null;
  /** The last try, where it failed. */
  @Column('timestamptz', { nullable: true }) triedAt!: Date | null;
  /** Runs before it leave the part out. */
  @Column('timestamptz', { nullable: true }) nextTryAt!: Date | null;
}
