import { record } from '../form-body';
import type { Json } from '../sandbox.types';
import type { StripeAccount, StripeObject } from './stripe.state';

export function invoiceObject(
  id: string,
  created: number,
  fields: {
    account: StripeAccount;
    customer: StripeObject;
    subscription: StripeObject | null;
    lineIds: string[];
    status: string;
    number: string;
    amount: number;
  },
): StripeObject {
  const paid = fields.status === 'paid';
  const items = fields.subscription ? (record(fields.subscription['items'])['data'] as Json[]) : [];
  const currency = fields.subscription ? fields.subscription['currency'] : 'usd';
  return {
    id,
    object: 'invoice',
    account_country: 'US',
    account_name: fields.account.name,
    amount_due: fields.amount,
    amount_overpaid: 0,
    amount_paid: paid ? fields.amount : 0,
    amount_remaining: paid ? 0 : fields.amount,
    amount_shipping: 0,
    application: null,
    attempt_count: paid ? 1 : 0,
    attempted: paid,
    auto_advance: false,
    billing_reason: fields.subscription ? 'subscription_create' : 'manual',
    collection_method: 'charge_automatically',
    created,
    currency,
    customer: fields.customer.id,
    customer_email: fields.customer['email'],
    customer_name: fields.customer['name'],
    default_payment_method: null,
    description: null,
    discounts: [],
    due_date: null,
    effective_at: created,
    ending_balance: 0,
    hosted_invoice_url: `https://invoice.stripe.com/i/${fields.account.id}/test_${id.slice(3)}`,
    invoice_pdf: `https://pay.stripe.com/invoice/${fields.account.id}/test_${id.slice(3)}/pdf`,
    issuer: { type: 'self' },
    lines: {
      object: 'list',
      data: items.map((item, index) => ({
        id: fields.lineIds[index] ?? `il_${index}`,
        object: 'line_item',
        amount: Number(record(item['price'])['unit_amount'] ?? 0) * Number(item['quantity'] ?? 1),
        currency,
        description: `${String(item['quantity'])} × subscription`,
        invoice: id,
        livemode: false,
        metadata: {},
        parent: {
          invoice_item_details: null,
          subscription_item_details: { subscription: fields.subscription?.id, subscription_item: item['id'], proration: false },
          type: 'subscription_item_details',
        },
        period: { start: item['current_period_start'], end: item['current_period_end'] },
        pricing: {
          price_details: { price: record(item['price'])['id'], product: record(item['price'])['product'] },
          type: 'price_details',
          unit_amount_decimal: record(item['price'])['unit_amount_decimal'],
        },
        quantity: item['quantity'],
      })),
      has_more: false,
      total_count: items.length,
      url: `/v1/invoices/${id}/lines`,
    },
    livemode: false,
    metadata: {},
    number: fields.number,
    on_behalf_of: null,
    parent: fields.subscription
      ? { quote_details: null, subscription_details: { metadata: {}, subscription: fields.subscription.id }, type: 'subscription_details' }
      : null,
    period_end: created,
    period_start: created,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    starting_balance: 0,
    status: fields.status,
    status_transitions: { finalized_at: created, marked_uncollectible_at: null, paid_at: paid ? created : null, voided_at: null },
    subtotal: fields.amount,
    total: fields.amount,
    webhooks_delivered_at: created,
  };
}

export function paymentIntentObject(
  id: string,
  created: number,
  fields: {
    amount: number;
    currency: unknown;
    customer: string | null;
    secret: string;
    status: string;
    description: string | null;
    metadata: Json;
  },
): StripeObject {
  return {
    id,
    object: 'payment_intent',
    amount: fields.amount,
    amount_capturable: 0,
    amount_received: fields.status === 'succeeded' ? fields.amount : 0,
    automatic_payment_methods: { allow_redirects: 'always', enabled: true },
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic_async',
    client_secret: `${id}_secret_${fields.secret}`,
    confirmation_method: 'automatic',
    created,
    currency: fields.currency,
    customer: fields.customer,
    description: fields.description,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    metadata: fields.metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_types: ['card'],
    receipt_email: null,
    setup_future_usage: null,
    shipping: null,
    statement_descriptor: null,
    status: fields.status,
    transfer_data: null,
    transfer_group: null,
  };
}
