import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ErrorCode } from '../../errors';

export type ConnectionStatus = 'connected' | 'needs_reauth' | 'disconnected';

@Entity('connections')
export class ConnectionEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') tenant!: string;
  @Column('text') userId!: string;
  @Column('text') provider!: string;
  @Column('text') accountId!: string;
  @Column('text') accountName!: string;
  /** Under which the provider's webhooks name the account. */
  @Column('text') routingKey!: string;
  @Column('text') authType!: 'oauth2' | 'api_key';
  @Column('text') status!: ConnectionStatus;
  @Column('text', { array: true }) scopes!: string[];
  /** Absent where what it stood on has ended. */
  @Column('uuid', { nullable: true }) grantId!: string | null;
  /** Which of the grant's shared tokens it may use. */
  @Column('text', { array: true }) slots!: string[];
  /** Who may use it where it is the organization's: `user_id` is empty then. */
  @Column('text') usedBy!: 'all' | 'admins';
  /** Who may end it, mend it and change its policy where it is the organization's. */
  @Column('text') managedBy!: 'all' | 'admins';
  @Column('jsonb') metadata!: Record<string, unknown>;
  @Column('text', { nullable: true }) errorCode!: ErrorCode | null;
  @Column('text', { nullable: true }) errorProviderCode!: string | null;
  @Column('timestamptz', { nullable: true }) errorAt!: Date | null;
  @Column('timestamptz') createdAt!: Date;
  @Column('timestamptz') updatedAt!: Date;
  /** When it was connected last. */
  @Column('timestamptz') connectedAt!: Date;
  @Column('timestamptz', { nullable: true }) disconnectedAt!: Date | null;
  /** Over whose it is and what it stands on; null where it was made by a version that did not seal. */
  @Column('text', { nullable: true }) seal!: string | null;
  /** Since when it is known that the seal does not fit. */
  @Column('timestamptz', { nullable: true }) alteredAt!: Date | null;
}
