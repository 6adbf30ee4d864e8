import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An organization's own client (app) at a provider. The one that has not ended is in force; others stay while connections stand on them. */
@Entity('oauth_clients')
export class OauthClientEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') tenant!: string;
  @Column('text') provider!: string;
  @Column('text') clientId!: string;
  /** Encrypted: `TenantProviders` alone reads it. */
  @Column('text') secret!: string;
  /** The person who set it. */
  @Column('text') setBy!: string;
  @Column('timestamptz') setAt!: Date;
  @Column('timestamptz', { nullable: true }) endedAt!: Date | null;
}
