import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A link with which a user may connect an account, once. Of its token only the hash is kept. */
@Entity('connect_sessions')
export class ConnectSessionEntity {
  @PrimaryColumn('text') tokenHash!: string;
  @Column('text') tenant!: string;
  @Column('text') userId!: string;
  /** Whose the connection will be, and of an organization's who may use and manage it: null leaves it as it is. */
  @Column('text') owner!: 'user' | 'organization';
  @Column('text', { nullable: true }) usedBy!: 'all' | 'admins' | null;
  @Column('text', { nullable: true }) managedBy!: 'all' | 'admins' | null;
  @Column('text') provider!: string;
  @Column('text', { nullable: true }) returnTo!: string | null;
  @Column('uuid', { nullable: true }) connectionId!: string | null;
  @Column('text', { array: true, nullable: true }) scopes!: string[] | null;
  /** Asked for in the person's own name. */
  @Column('text', { array: true, nullable: true }) userScopes!: string[] | null;
  /** What the person filled in; no secret. */
  @Column('jsonb', { nullable: true }) fields!: Record<string, string> | null;
  /** What the product calls the user and the organization. */
  @Column('jsonb', { nullable: true }) display!: { user?: string; organization?: string } | null;
  /** Who made the link. */
  @Column('jsonb', { nullable: true }) maker!: { tenant: string; userId: string; role: string } | null;
  /** The organization's own client with which it is done; null: the operator's. */
  @Column('text', { nullable: true }) client!: string | null;
  @Column('timestamptz') expiresAt!: Date;
  /** Over all of the row: `flow-seal.ts`. */
  @Column('text', { nullable: true }) seal!: string | null;
}
