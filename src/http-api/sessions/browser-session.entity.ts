import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Role } from '../principal/principal';

/** A signed-in browser. Of its cookie and of the secret against forged forms only the hashes are kept. */
@Entity('browser_sessions')
export class BrowserSessionEntity {
  @PrimaryColumn('text') idHash!: string;
  @Column('text') tenant!: string;
  @Column('text') userId!: string;
  @Column('text') role!: Role;
  @Column('text') csrfHash!: string;
  @Column('timestamptz') expiresAt!: Date;
}
