import { flag, record, text } from '../form-body';
import { secretText } from '../random';
import type { Json } from '../sandbox.types';
import { cardDeclined, invalidRequest, missingParam, noSuch } from './stripe.errors';
import type { Cause } from './stripe.events';
import { invoiceObject, paymentIntentObject } from './stripe.billing-objects';
import { subscriptionObject } from './stripe.objects';
import { put, type StripeAccount, type StripeObject } from './stripe.state';
import { mergeMetadata, metadataOf, type StripeWorld } from './stripe.world';

const BEHAVIORS = ['allow_incomplete', 'default_incomplete', 'error_if_incomplete', 'pending_if_incomplete'];

/** Subscriptions with their invoices and payments: https://docs.stripe.com/billing/subscriptions/overview */
export class StripeSubscriptions {
  constructor(private readonly world: StripeWorld) {}

  create(account: StripeAccount, params: Json, cause: Cause): StripeObject {
    const customer = this.customerOf(account, params['customer']);
    const wanted = Array.isArray(params['items']) ? (params['items'] as unknown[]).map(record) : [];
    if (wanted.length === 0) throw missingParam('items');
    const behavior = text(params['payment_behavior']) ?? 'allow_incomplete';
    if (!BEHAVIORS.includes(behavior))
      throw invalidRequest(`Invalid payment_behavior: must be one of ${BEHAVIORS.join(', ')}`, { param: 'payment_behavior' });
    const items = wanted.map((item, index) => {
      if (item['price'] === undefined) throw missingParam(`items[${index}][price]`);
      const price = this.world.find(account, 'prices', 'price', item['price'], `items[${index}][price]`);
      if (price['recurring'] === null)
        throw invalidRequest('The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.', {
          param: `items[${index}][price]`,
        });
      return { id: this.world.newId('si'), price, quantity: Number(item['quantity'] ?? 1) };
    });
    const trialDays = Number(params['trial_period_days'] ?? 0);
    const trialEnd = trialDays > 0 ? this.world.nowS() + trialDays * 86_400 : null;
    const amount = trialEnd === null ? items.reduce((sum, item) => sum + Number(item.price['unit_amount'] ?? 0) * item.quantity, 0) : 0;
    const paymentMethod =
      text(params['default_payment_method']) ?? text(record(customer['invoice_settings'])['default_payment_method']) ?? null;

    const decline = declineCodeOf(
      customer,
      items.map((item) => item.price),
      paymentMethod,
    );
    if (decline && amount > 0) throw cardDeclined(decline, null);
    const charged = amount === 0 || (paymentMethod !== null && behavior !== 'default_incomplete');
    if (!charged && paymentMethod === null && behavior === 'error_if_incomplete') {
      throw invalidRequest('This customer has no attached payment source or default payment method.', { code: 'resource_missing' });
    }
    const subscription = subscriptionObject(this.world.newId('sub'), this.world.nowS(), {
      customer: customer.id,
      items,
      status: trialEnd !== null ? 'trialing' : charged ? 'active' : 'incomplete',
      metadata: metadataOf(params['metadata']),
      description: text(params['description']) ?? null,
      saveDefaultPaymentMethod: text(record(params['payment_settings'])['save_default_payment_method']) ?? 'off',
      defaultPaymentMethod: text(params['default_payment_method']) ?? null,
      trialEnd,
      collectionMethod: text(params['collection_method']) ?? 'charge_automatically',
    });
    if (flag(params['cancel_at_period_end'])) setCancelAtPeriodEnd(subscription, true, this.world.nowS());
    const invoice = this.firstInvoice(account, customer, subscription, amount, charged);
    put(account.collections.subscriptions, subscription);
    this.world.tell(account, 'customer.subscription.created', subscription, cause);
    this.world.tell(account, 'invoice.created', invoice, cause);
    this.world.tell(account, 'invoice.finalized', invoice, cause);
    if (charged) this.world.tell(account, 'invoice.paid', invoice, cause);
    const intent = this.intentOf(account, invoice);
    if (intent) this.world.tell(account, charged ? 'payment_intent.succeeded' : 'payment_intent.created', intent, cause);
    return subscription;
  }

  update(account: StripeAccount, subscription: StripeObject, params: Json, cause: Cause): StripeObject {
    if (subscription['status'] === 'canceled')
      throw invalidRequest('A canceled subscription can only update its cancellation_details and metadata.');
    const before = structuredClone(subscription);
    if (params['cancel_at_period_end'] !== undefined)
      setCancelAtPeriodEnd(subscription, flag(params['cancel_at_period_end']), this.world.nowS());
    if (params['metadata'] !== undefined) subscription['metadata'] = mergeMetadata(record(subscription['metadata']), params['metadata']);
    if (params['default_payment_method'] !== undefined) subscription['default_payment_method'] = params['default_payment_method'] || null;
    if (params['description'] !== undefined) subscription['description'] = params['description'] || null;
    this.changeItems(account, subscription, params['items']);
    this.tellChange(account, before, subscription, cause);
    return subscription;
  }

  cancel(account: StripeAccount, subscription: StripeObject, cause: Cause): StripeObject {
    if (subscription['status'] === 'canceled') throw noSuch('subscription', subscription.id);
    const now = this.world.nowS();
    Object.assign(subscription, {
      status: 'canceled',
      canceled_at: now,
      ended_at: now,
      cancel_at_period_end: false,
      cancellation_details: { comment: null, feedback: null, reason: 'cancellation_requested' },
    });
    this.world.tell(account, 'customer.subscription.deleted', subscription, cause);
    return subscription;
  }

  /** The first payment succeeds: what a person does with the client secret in a browser. */
  pay(account: StripeAccount, subscription: StripeObject, cause: Cause): StripeObject {
    const invoice = this.world.load(account, String(subscription['latest_invoice']));
    const intent = invoice && this.intentOf(account, invoice);
    if (intent) this.confirm(account, intent, 'pm_card_visa', cause);
    return subscription;
  }

  confirm(account: StripeAccount, intent: StripeObject, paymentMethod: string, cause: Cause): StripeObject {
    if (intent['status'] === 'succeeded')
      throw invalidRequest('This PaymentIntent has already succeeded.', { code: 'payment_intent_unexpected_state' });
    const decline = declineOfPaymentMethod(paymentMethod);
    if (decline) {
      Object.assign(intent, {
        status: 'requires_payment_method',
        last_payment_error: { code: 'card_declined', decline_code: decline, message: 'Your card was declined.', type: 'card_error' },
      });
      this.world.tell(account, 'payment_intent.payment_failed', intent, cause);
      throw cardDeclined(decline, intent);
    }
    Object.assign(intent, {
      status: 'succeeded',
      amount_received: intent['amount'],
      payment_method: paymentMethod,
      latest_charge: this.world.newId('ch'),
    });
    this.world.tell(account, 'payment_intent.succeeded', intent, cause);
    const invoice = [...account.collections.invoices.byId.values()].find(
      (candidate) => account.intentOfInvoice.get(candidate.id) === intent.id,
    );
    if (invoice) this.settle(account, invoice, cause);
    return intent;
  }

  /** Fields of an invoice that appear only when they are expanded. */
  include(account: StripeAccount, object: Json, field: string): unknown {
    if (object['object'] !== 'invoice') return undefined;
    const intent = this.intentOf(account, object);
    if (field === 'confirmation_secret') return intent ? { client_secret: intent['client_secret'], type: 'payment_intent' } : null;
    if (field !== 'payments') return undefined;
    const data = intent
      ? [
          {
            id: `inpay_${intent.id.slice(3)}`,
            object: 'invoice_payment',
            amount_paid: null,
            amount_requested: intent['amount'],
            created: intent.created,
            currency: intent['currency'],
            invoice: object['id'],
            is_default: true,
            livemode: false,
            payment: { payment_intent: intent.id, type: 'payment_intent' },
            status: intent['status'] === 'succeeded' ? 'paid' : 'open',
            status_transitions: { canceled_at: null, paid_at: null },
          },
        ]
      : [];
    return { object: 'list', data, has_more: false, total_count: data.length, url: '/v1/invoice_payments' };
  }

  private settle(account: StripeAccount, invoice: StripeObject, cause: Cause): void {
    const now = this.world.nowS();
    Object.assign(invoice, { status: 'paid', amount_paid: invoice['amount_due'], amount_remaining: 0, attempted: true, attempt_count: 1 });
    record(invoice['status_transitions'])['paid_at'] = now;
    this.world.tell(account, 'invoice.paid', invoice, cause);
    this.world.tell(account, 'invoice.payment_succeeded', invoice, cause);
    const id = record(record(invoice['parent'])['subscription_details'])['subscription'];
    const subscription = typeof id === 'string' ? account.collections.subscriptions.byId.get(id) : undefined;
    if (subscription?.['status'] !== 'incomplete') return;
    const before = structuredClone(subscription);
    subscription['status'] = 'active';
    this.tellChange(account, before, subscription, cause);
  }

  private firstInvoice(
    account: StripeAccount,
    customer: StripeObject,
    subscription: StripeObject,
    amount: number,
    paid: boolean,
  ): StripeObject {
    const id = this.world.newId('in');
    const number = `${String(customer['invoice_prefix'])}-${String(++account.invoiceNumber).padStart(4, '0')}`;
    const lineIds = (record(subscription['items'])['data'] as unknown[]).map(() => this.world.newId('il'));
    const invoice = invoiceObject(id, this.world.nowS(), {
      account,
      customer,
      subscription,
      lineIds,
      status: paid ? 'paid' : 'open',
      number,
      amount,
    });
    subscription['latest_invoice'] = id;
    if (amount > 0) {
      const intent = paymentIntentObject(this.world.newId('pi'), this.world.nowS(), {
        amount,
        currency: invoice['currency'],
        customer: customer.id,
        secret: secretText(24),
        status: paid ? 'succeeded' : 'requires_payment_method',
        description: 'Subscription creation',
        metadata: {},
      });
      put(account.collections.payment_intents, intent);
      account.intentOfInvoice.set(id, intent.id);
    }
    put(account.collections.invoices, invoice);
    return invoice;
  }

  private intentOf(account: StripeAccount, invoice: Json): StripeObject | undefined {
    return account.collections.payment_intents.byId.get(account.intentOfInvoice.get(String(invoice['id'])) ?? '');
  }

  private changeItems(account: StripeAccount, subscription: StripeObject, change: unknown): void {
    if (!Array.isArray(change)) return;
    const data = record(subscription['items'])['data'] as Json[];
    for (const wanted of change.map(record)) {
      const item = data.find((candidate) => candidate['id'] === wanted['id']) ?? data[0];
      if (!item) continue;
      if (wanted['price'] !== undefined) item['price'] = this.world.find(account, 'prices', 'price', wanted['price'], 'items[0][price]');
      if (wanted['quantity'] !== undefined) item['quantity'] = Number(wanted['quantity']);
    }
  }

  private tellChange(account: StripeAccount, before: StripeObject, after: StripeObject, cause: Cause): void {
    const previous: Json = {};
    for (const key of Object.keys(after)) if (JSON.stringify(before[key]) !== JSON.stringify(after[key])) previous[key] = before[key];
    if (Object.keys(previous).length > 0) this.world.tell(account, 'customer.subscription.updated', after, cause, previous);
  }

  private customerOf(account: StripeAccount, id: unknown): StripeObject {
    if (id === undefined || id === '') throw missingParam('customer');
    return this.world.find(account, 'customers', 'customer', id, 'customer');
  }
}

/** `metadata.sandbox_decline` on the customer or the price makes the card decline, whatever the payment behaviour. */
function declineCodeOf(customer: StripeObject, prices: StripeObject[], paymentMethod: string | null): string | null {
  for (const object of [customer, ...prices]) {
    const code = text(record(object['metadata'])['sandbox_decline']);
    if (code) return code === 'true' ? 'insufficient_funds' : code;
  }
  return paymentMethod === null ? null : declineOfPaymentMethod(paymentMethod);
}

/** Stripe's own test cards: https://docs.stripe.com/testing#declined-payments */
function declineOfPaymentMethod(id: string): string | null {
  if (id === 'pm_card_visa_chargeDeclinedInsufficientFunds') return 'insufficient_funds';
  if (id === 'pm_card_visa_chargeDeclinedLostCard') return 'lost_card';
  return id.startsWith('pm_card_visa_chargeDeclined') || id === 'pm_card_chargeDeclined' ? 'generic_decline' : null;
}

function setCancelAtPeriodEnd(subscription: StripeObject, on: boolean, nowS: number): void {
  const items = record(subscription['items'])['data'] as Json[];
  subscription['cancel_at_period_end'] = on;
  subscription['cancel_at'] = on ? Math.max(...items.map((item) => Number(item['current_period_end']))) : null;
  subscription['canceled_at'] = on ? nowS : null;
  subscription['cancellation_details'] = { comment: null, feedback: null, reason: on ? 'cancellation_requested' : null };
}
