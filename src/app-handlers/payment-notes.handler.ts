import type Stripe from 'stripe';
import { PaymentNoteEntity } from './payment-note.entity';
import { OnWebhook, type HandlerContext, type WebhookEvent, type WebhookHandler } from '../integrations';

type Payment = Stripe.PaymentIntentSucceededEvent | Stripe.CustomerSubscriptionDeletedEvent;

/**
 * An example of the product's own code: notes what was paid and what was cancelled. The note and the event's completion are one
 * transaction, so each is noted once, however often Stripe sends it. `evenStale`: a payment happened even if we hear of it late.
 */
@OnWebhook({ provider: 'stripe', types: ['payment_intent.succeeded', 'customer.subscription.deleted'], evenStale: true })
export class PaymentNotesHandler implements WebhookHandler<Payment> {
  async handle({ id, payload, receivedAt }: WebhookEvent<Payment>, { connection, manager }: HandlerContext): Promise<void> {
    if (!connection) return; // an account that none of our users connected
    const note = noteOf(payload);
    const row = { id, tenant: connection.tenant, connectionId: connection.id, ...note, notedAt: receivedAt };
    await manager.createQueryBuilder().insert().into(PaymentNoteEntity).values(row).orIgnore().execute();
  }
}

/** Amounts are in the currency's smallest unit, and some currencies have none smaller: https://docs.stripe.com/currencies#zero-decimal */
function noteOf(event: Payment): Pick<PaymentNoteEntity, 'kind' | 'subject' | 'amount' | 'currency'> {
  switch (event.type) {
    case 'payment_intent.succeeded':
      return {
        kind: 'paid',
        subject: event.data.object.id,
        amount: numberOf(event.data.object.amount_received),
        currency: event.data.object.currency,
      };
    case 'customer.subscription.deleted':
      return { kind: 'cancelled', subject: event.data.object.id, amount: null, currency: null };
  }
}

/** As Postgres takes a bigint. Stripe's types promise a number, its older events hold none. */
function numberOf(amount: number | undefined): string | null {
  return amount === undefined ? null : String(amount);
}
