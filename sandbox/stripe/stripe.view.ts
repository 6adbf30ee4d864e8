import { record } from '../form-body';
import type { Json } from '../sandbox.types';
import type { StripeAccount } from './stripe.state';

export function stripeView({ name, collections }: StripeAccount): Json {
  return {
    name,
    customers: collections.customers.byId.size,
    prices: [...collections.prices.byId.values()].map((price) => ({
      id: price.id,
      nickname: price['nickname'],
      unitAmount: price['unit_amount'],
      interval: record(price['recurring'])['interval'] ?? null,
    })),
    subscriptions: [...collections.subscriptions.byId.values()].map((subscription) => ({
      id: subscription.id,
      status: subscription['status'],
      customer: subscription['customer'],
      cancelAtPeriodEnd: subscription['cancel_at_period_end'],
      created: subscription.created,
      metadata: subscription['metadata'],
    })),
    invoices: collections.invoices.byId.size,
    paymentIntents: collections.payment_intents.byId.size,
    events: collections.events.byId.size,
  };
}

/** What an event of a type is about, taken from the account's own data. */
export function sampleObject(account: StripeAccount, type: string, index: number): Json {
  const { customers, subscriptions, invoices, payment_intents: intents, products, prices } = account.collections;
  const [collection, kind] = type.startsWith('customer.subscription')
    ? [subscriptions, 'subscription']
    : type.startsWith('customer')
      ? [customers, 'customer']
      : type.startsWith('invoice')
        ? [invoices, 'invoice']
        : type.startsWith('payment_intent')
          ? [intents, 'payment_intent']
          : type.startsWith('product')
            ? [products, 'product']
            : type.startsWith('price')
              ? [prices, 'price']
              : [null, type.split('.')[0] ?? 'object'];
  const id = collection?.order[index % Math.max(1, collection.order.length)];
  return structuredClone((id && collection?.byId.get(id)) || { id: `${kind.slice(0, 2)}_sample${index}`, object: kind });
}
