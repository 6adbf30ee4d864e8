import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key that was in use here: a known text encrypted with it, never the key itself. */
@Entity('encryption_keys')
export class EncryptionKeyEntity {
  @PrimaryColumn('text') keyId!: string;
  @Column('text') checkValue!: string;
  @Column('timestamptz') createdAt!: Date;
}
