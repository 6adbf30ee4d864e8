import { record } from '../form-body';
import type { Json } from '../sandbox.types';
import type { StripeAccount, StripeObject } from './stripe.state';

export const API_VERSION = '2026-10-28.endive';
const INTERVAL_S: Record<string, number> = { day: 86_400, week: 7 * 86_400, month: 30 * 86_400, year: 365 * 86_400 };

/** Shapes of API version 2026-10-28.endive: https://docs.stripe.com/api */
export function accountObject(account: StripeAccount): Json {
  return {
    id: account.id,
    object: 'account',
    business_profile: { mcc: null, name: account.name, support_email: account.email, url: null },
    business_type: 'company',
    capabilities: { card_payments: 'active', transfers: 'active' },
    charges_enabled: true,
    country: 'US',
    created: 1_700_000_000,
    default_currency: 'usd',
    details_submitted: true,
    email: account.email,
    metadata: {},
    payouts_enabled: true,
    settings: { dashboard: { display_name: account.name, timezone: 'Etc/UTC' } },
    type: 'standard',
  };
}

export function customerObject(id: string, created: number, fields: Json): StripeObject {
  return {
    id,
    object: 'customer',
    address: null,
    balance: 0,
    created,
    currency: null,
    default_source: null,
    delinquent: false,
    description: null,
    email: null,
    invoice_prefix: id.slice(-8).toUpperCase(),
    invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
    livemode: false,
    metadata: {},
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
    ...fields,
  };
}

export function productObject(id: string, created: number, fields: Json): StripeObject {
  return {
    id,
    object: 'product',
    active: true,
    created,
    default_price: null,
    description: null,
    images: [],
    livemode: false,
    marketing_features: [],
    metadata: {},
    name: 'Product',
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    type: 'service',
    unit_label: null,
    updated: created,
    url: null,
    ...fields,
  };
}

export function priceObject(
  id: string,
  created: number,
  fields: {
    product: string;
    unitAmount: number;
    currency: string;
    interval: string | null;
    intervalCount: number;
    nickname: string | null;
    metadata: Json;
    lookupKey: string | null;
  },
): StripeObject {
  return {
    id,
    object: 'price',
    active: true,
    billing_scheme: 'per_unit',
    created,
    currency: fields.currency,
    custom_unit_amount: null,
    livemode: false,
    lookup_key: fields.lookupKey,
    metadata: fields.metadata,
    nickname: fields.nickname,
    product: fields.product,
    recurring: fields.interval
      ? { interval: fields.interval, interval_count: fields.intervalCount, meter: null, trial_period_days: null, usage_type: 'licensed' }
      : null,
    tax_behavior: 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: fields.interval ? 'recurring' : 'one_time',
    unit_amount: fields.unitAmount,
    unit_amount_decimal: String(fields.unitAmount),
  };
}

export interface SubscriptionFields {
  customer: string;
  items: { id: string; price: StripeObject; quantity: number }[];
  status: string;
  metadata: Json;
  description: string | null;
  saveDefaultPaymentMethod: string;
  defaultPaymentMethod: string | null;
  trialEnd: number | null;
  collectionMethod: string;
}

export function subscriptionObject(id: string, created: number, fields: SubscriptionFields): StripeObject {
  return {
    id,
    object: 'subscription',
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: created,
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, reason: null },
    collection_method: fields.collectionMethod,
    created,
    currency: String(fields.items[0]?.price['currency'] ?? 'usd'),
    customer: fields.customer,
    days_until_due: null,
    default_payment_method: fields.defaultPaymentMethod,
    default_source: null,
    default_tax_rates: [],
    description: fields.description,
    discounts: [],
    ended_at: null,
    invoice_settings: { account_tax_ids: null, issuer: { type: 'self' } },
    // The current period lives on the items since 2025-03-31.
    items: {
      object: 'list',
      data: fields.items.map((item) => itemObject(id, created, item, fields.trialEnd)),
      has_more: false,
      total_count: fields.items.length,
      url: `/v1/subscription_items?subscription=${id}`,
    },
    latest_invoice: null,
    livemode: false,
    metadata: fields.metadata,
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: {
      payment_method_options: null,
      payment_method_types: null,
      save_default_payment_method: fields.saveDefaultPaymentMethod,
    },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: created,
    status: fields.status,
    test_clock: null,
    transfer_data: null,
    trial_end: fields.trialEnd,
    trial_settings: { end_behavior: { missing_payment_method: 'create_invoice' } },
    trial_start: fields.trialEnd === null ? null : created,
  };
}

function itemObject(subscription: string, created: number, item: SubscriptionFields['items'][number], trialEnd: number | null): Json {
  const recurring = record(item.price['recurring']);
  const period = (INTERVAL_S[String(recurring['interval'])] ?? 30 * 86_400) * Number(recurring['interval_count'] ?? 1);
  return {
    id: item.id,
    object: 'subscription_item',
    billing_thresholds: null,
    created,
    current_period_end: trialEnd ?? created + period,
    current_period_start: created,
    discounts: [],
    metadata: {},
    price: item.price,
    quantity: item.quantity,
    subscription,
    tax_rates: [],
  };
}
