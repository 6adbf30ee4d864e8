import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Where a provider delivers for one connection alone, and what it signs with there. */
@Entity('webhook_addresses')
export class WebhookAddressEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid') connectionId!: string;
  @Column('text') tenant!: string;
  @Column('text') provider!: string;
  /** SHA-256 of the address's last part, hex: who reads the table cannot deliver. */
  @Column('text') tokenHash!: string;
  /** Encrypted: `WebhookAddressesService` alone reads it. */
  @Column('text') secret!: string;
  @Column('timestamptz') setAt!: Date;
}
