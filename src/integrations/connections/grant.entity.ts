import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a provider gave to our app for one of its accounts, whoever uses it. It goes with the last connection that stands on it. */
@Entity('grants')
export class GrantEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') provider!: string;
  /** Which app of ours it was given to; empty where nothing has told it yet. */
  @Column('text') client!: string;
  /** What the provider knows it by: an account, an installation. */
  @Column('text') account!: string;
  @Column('timestamptz') createdAt!: Date;
  @Column('timestamptz') updatedAt!: Date;
}
