import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What was paid or cancelled, as the product keeps it. */
@Entity('payment_notes')
export class PaymentNoteEntity {
  /** Of the event: each is noted once. */
  @PrimaryColumn('uuid') id!: string;
  @Column('text') tenant!: string;
  @Column('uuid') connectionId!: string;
  @Column('text') kind!: 'paid' | 'cancelled';
  @Column('text') subject!: string;
  /** In the currency's smallest unit. */
  @Column('bigint', { nullable: true }) amount!: string | null;
  @Column('text', { nullable: true }) currency!: string | null;
  @Column('timestamptz') notedAt!: Date;
}
