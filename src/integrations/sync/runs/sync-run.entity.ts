import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ErrorCode } from '../../../errors';
import type { PartView } from '../../connections';
import type { ShapeErrors } from '../records/record-shapes';

export type SyncType = 'full' | 'incremental';
export type SyncTrigger = 'schedule' | 'manual' | 'webhook' | 'connect';
/** `paused`: a sweep would remove unusually much and waits for a confirmation. */
export type SyncStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'paused';

export interface PartShapeErrors extends ShapeErrors {
  readonly resource: string;
  readonly partition: string;
}

/** A run of a connection's sync. Leases and due times are the database's. */
@Entity('sync_runs')
export class SyncRunEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid') connectionId!: string;
  @Column('text') tenant!: string;
  @Column('text') provider!: string;
  @Column('text') type!: SyncType;
  @Column('text') trigger!: SyncTrigger;
  @Column('text') status!: SyncStatus;
  /** Empty: all. */
  @Column('text', { array: true }) resources!: string[];
  /** The due time that it was queued for: one run for each. */
  @Column('text', { nullable: true }) slot!: string | null;
  /** Lower goes first. */
  @Column('integer') priority!: number;
  /** Starts since the last page that was stored. */
  @Column('integer') attempts!: number;
  @Column('timestamptz') nextAttemptAt!: Date;
  @Column('timestamptz', { nullable: true }) leaseUntil!: Date | null;
  /** Tells whether the process of the claim has ended; what it may write is decided by `fence`. */
  @Column('uuid', { nullable: true }) leaseOwner!: string | null;
  /** Grows with each claim: what an earlier claim still writes is refused. */
  @Column('integer') fence!: number;
  @Column('integer') fetched!: number;
  @Column('integer') created!: number;
  @Column('integer') updated!: number;
  @Column('integer') unchanged!: number;
  @Column('integer') deleted!: number;
  @Column('integer', { nullable: true }) total!: number | null;
  /** The resource that is read, and what had been fetched before it; empty before the first. */
  @Column('jsonb') progress!: { readonly resource?: string; readonly before?: number };
  /** Those that could not be read when it ended. */
  @Column('jsonb') parts!: readonly PartView[];
  /** What it stored as it came, of each part that has some. */
  @Column('jsonb') shapeErrors!: Readonly<Record<string, PartShapeErrors>>;
  @Column('boolean') confirmed!: boolean;
  @Column('text', { nullable: true }) errorCode!: ErrorCode | null;
  @Column('text', { nullable: true }) errorMessage!: string | null;
  @Column('timestamptz') createdAt!: Date;
  @Column('timestamptz', { nullable: true }) startedAt!: Date | null;
  @Column('timestamptz', { nullable: true }) finishedAt!: Date | null;
  /** Where it was asked for, of its trace. */
  @Column('text', { nullable: true }) traceparent!: string | null;
  /** The run that this one waits for. */
  @Column('uuid', { nullable: true }) afterRun!: string | null;
}
