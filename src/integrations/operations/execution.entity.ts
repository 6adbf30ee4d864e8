import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An execution at a provider, stored before its first try. Leases and expiry are in the database's time. */
@Entity('actions')
export class ExecutionEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') tenant!: string;
  @Column('text') userId!: string;
  @Column('text', { nullable: true }) idempotencyKey!: string | null;
  /** Name of what is done, e.g. `acme.messages.send`. */
  @Column('text') route!: string;
  @Column('text') requestHash!: string;
  @Column('uuid', { nullable: true }) connectionId!: string | null;
  /** The same at every try. */
  @Column('uuid') operationId!: string;
  @Column('text') status!: 'running' | 'done' | 'unknown';
  @Column('integer', { nullable: true }) responseStatus!: number | null;
  /** Encrypted. */
  @Column('text', { nullable: true }) response!: string | null;
  @Column('text', { nullable: true }) errorCode!: string | null;
  @Column('timestamptz') leaseUntil!: Date;
  @Column('timestamptz') createdAt!: Date;
  @Column('timestamptz', { nullable: true }) finishedAt!: Date | null;
  @Column('timestamptz') expiresAt!: Date;
}
