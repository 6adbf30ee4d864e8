import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An access token that was traded for a session, which it may be once. */
@Entity('used_tokens')
export class UsedTokenEntity {
  @PrimaryColumn('text') tokenHash!: string;
  @Column('timestamptz') expiresAt!: Date;
}
