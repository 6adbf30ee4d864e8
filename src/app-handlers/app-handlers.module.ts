import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DATABASE } from '../database';
import { ConnectionsModule, PersonalData } from '../integrations';
import { PaymentNoteEntity } from './payment-note.entity';
import { PaymentNotesHandler } from './payment-notes.handler';

/** The product's own reactions to what providers tell. A handler is a class with `@OnWebhook`, named here; nothing else is needed. */
@Module({ imports: [ConnectionsModule, TypeOrmModule.forFeature([PaymentNoteEntity], DATABASE)], providers: [PaymentNotesHandler] })
export class AppHandlersModule {
  /** What is held of a connection is destroyed and exported with it. */
  constructor(data: PersonalData) {
    data.register([{ table: 'payment_notes', connection: 'connection_id', tenant: 'tenant' }]);
  }
}
