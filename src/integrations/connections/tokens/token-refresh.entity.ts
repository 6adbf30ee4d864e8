import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A refresh that was sent to the provider and whose outcome is not stored yet: what is left over was interrupted. */
@Entity('token_refreshes')
export class TokenRefreshEntity {
  @PrimaryColumn('uuid') tokenId!: string;
  @Column('integer') version!: number;
  @Column('timestamptz') startedAt!: Date;
}
