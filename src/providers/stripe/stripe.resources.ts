import type Stripe from 'stripe';
import { IntegrationError } from '../../errors';
import type { Extent, SyncRecord } from '../../integrations';
import { stripeObject } from './stripe.client';

export interface StripeResource {
  /** Name of the resource and of Stripe's list. */
  readonly name: 'customers' | 'subscriptions' | 'invoices' | 'prices';
  readonly label: string;
  /** `object` of its records. */
  readonly kind: string;
  /** Events after which a record is read anew: https://docs.stripe.com/api/events/types */
  readonly eventTypes: readonly string[];
  /** What the list is filtered by, one walk after the other, where no single list holds all. Default: one, unfiltered. */
  readonly passes?: readonly Readonly<Record<string, unknown>>[];
  /**
   * Customers of a test clock, and what is theirs, are in lists that name the clock only (https://docs.stripe.com/api/customers/list);
   * of other lists it is not told. Clocks are there in test mode only.
   */
  readonly testClocks?: 'by-name' | 'untold';
  /** What the list holds of all there is. Default: everything. */
  readonly extent?: Extent;
  list(client: Stripe, page: Stripe.PaginationParams): Promise<Stripe.ApiList<{ id: string }>>;
  get(client: Stripe, id: string): Promise<{ id?: string; object?: string; deleted?: unknown }>;
}

const subscriptionEvents = [
  'created',
  'updated',
  'deleted',
  'paused',
  'resumed',
  'pending_update_applied',
  'pending_update_expired',
  'trial_will_end',
];
const invoiceEvents = [
  'created',
  'updated',
  'deleted',
  'finalized',
  'finalization_failed',
  'paid',
  'payment_succeeded',
  'payment_failed',
  'payment_action_required',
  'sent',
  'voided',
  'marked_uncollectible',
  'overdue',
  'overpaid',
  'payment_attempt_required',
  'will_be_due',
];

export const STRIPE_RESOURCES: readonly StripeResource[] = [
  {
    name: 'customers',
    label: 'Customers',
    kind: 'customer',
    eventTypes: ['customer.created', 'customer.updated', 'customer.deleted'],
    testClocks: 'by-name',
    list: (client, page) => client.customers.list(page),
    get: (client, id) => client.customers.retrieve(id),
  },
  {
    name: 'subscriptions',
    label: 'Subscriptions',
    kind: 'subscription',
    eventTypes: subscriptionEvents.map((name) => `customer.subscription.${name}`),
    testClocks: 'by-name',
    // Canceled ones are left out unless all are asked for.
    list: (client, page) => client.subscriptions.list({ ...page, status: 'all' }),
    get: (client, id) => client.subscriptions.retrieve(id),
  },
  {
    name: 'invoices',
    label: 'Invoices',
    kind: 'invoice',
    eventTypes: invoiceEvents.map((name) => `invoice.${name}`),
    testClocks: 'untold',
    list: (client, page) => client.invoices.list(page),
    get: (client, id) => client.invoices.retrieve(id),
  },
  {
    name: 'prices',
    label: 'Prices',
    kind: 'price',
    eventTypes: ['price.created', 'price.updated', 'price.deleted'],
    // https://docs.stripe.com/api/prices/list: active ones unless others are asked for, and never those made within another object.
    passes: [{ active: true }, { active: false }],
    extent: { complete: false, why: 'Prices made within another object are in no list of Stripe.' },
    list: (client, page) => client.prices.list(page),
    get: (client, id) => client.prices.retrieve(id),
  },
];

/** The object as it is now: events come in any order and in the endpoint's own API version, the object itself is never old. */
export async function currentRecord(client: Stripe, resource: StripeResource, id: string): Promise<SyncRecord> {
  try {
    const object = await stripeObject(resource.kind, () => resource.get(client, id));
    return object.deleted === true ? { id, deleted: true } : { id, data: object };
  } catch (error) {
    if (error instanceof IntegrationError && error.providerCode === 'resource_missing') return { id, deleted: true };
    throw error;
  }
}
