import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A session that has not ended, or a sign-in code that was not used. Who it is stands sealed in the cookie or code, never here: a written row opens nothing. */
@Entity('browser_sessions')
export class BrowserSessionEntity {
  @PrimaryColumn('text') idHash!: string;
  @Column('text') tenant!: string;
  @Column('text') userId!: string;
  @Column('timestamptz') expiresAt!: Date;
}
