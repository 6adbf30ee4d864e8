import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What signs the deliveries to a destination, encrypted. During a roll there are several. */
@Entity('destination_secrets')
export class DestinationSecretEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid') destinationId!: string;
  @Column('text') tenant!: string;
  @Column('text') secret!: string;
  @Column('timestamptz') createdAt!: Date;
  @Column('timestamptz', { nullable: true }) expiresAt!: Date | null;
}
