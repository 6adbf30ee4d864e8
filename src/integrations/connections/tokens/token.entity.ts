import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A token of a grant: of one connection alone, or in a slot, where several connections share it. `accessToken` and `refreshToken` are encrypted: `TokenRepository` alone reads them. */
@Entity('tokens')
export class TokenEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid', { nullable: true }) connectionId!: string | null;
  @Column('uuid', { nullable: true }) grantId!: string | null;
  @Column('text', { nullable: true }) slot!: string | null;
  @Column('text') kind!: string;
  @Column('text') accessToken!: string;
  @Column('text', { nullable: true }) refreshToken!: string | null;
  @Column('text') keyId!: string;
  @Column('text', { array: true }) scopes!: string[];
  @Column('timestamptz', { nullable: true }) expiresAt!: Date | null;
  /** Grows with each new pair. */
  @Column('integer') version!: number;
  @Column('timestamptz') obtainedAt!: Date;
  @Column('timestamptz') updatedAt!: Date;
}
