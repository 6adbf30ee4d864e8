import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A token of a connection. `accessToken` and `refreshToken` are encrypted: `TokenRepository` alone reads them. */
@Entity('tokens')
export class TokenEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid') connectionId!: string;
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
