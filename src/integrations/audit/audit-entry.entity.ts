import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Who did what, and what came of it. Written once, never changed: the database refuses it. */
@Entity('audit_entries')
export class AuditEntryEntity {
  /** UUIDv7: in the order of time. */
  @PrimaryColumn('uuid') id!: string;
  @PrimaryColumn('timestamptz') at!: Date;
  /** Whose it is that was acted upon; empty where it belongs to no organization. */
  @Column('text') tenant!: string;
  @Column('text') actorTenant!: string;
  @Column('text') actorUser!: string;
  /** A role of the caller, `provider`, or `system`. */
  @Column('text') actorRole!: string;
  /** The agent that acted for the user. */
  @Column('text', { nullable: true }) actorAgent!: string | null;
  @Column('text') action!: string;
  /** e.g. `connection:0198...`. */
  @Column('text') target!: string;
  /** `ok`, or the code of the error. */
  @Column('text') outcome!: string;
  @Column('text', { nullable: true }) requestId!: string | null;
  @Column('text', { nullable: true }) ip!: string | null;
}
