import { Module } from '@nestjs/common';
import { PaymentNotesHandler } from './payment-notes.handler';

/** The product's own reactions to what providers tell. A handler is a class with `@OnWebhook`, named here; nothing else is needed. */
@Module({ providers: [PaymentNotesHandler] })
export class AppHandlersModule {}
