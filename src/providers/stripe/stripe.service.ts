import { Inject, Injectable } from '@nestjs/common';
import type Stripe from 'stripe';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import { GovernedHttp, type ConnectionRef } from '../../integrations';
import { stripeClient, stripeObject } from './stripe.client';
import { STRIPE, STRIPE_API_BASE_URL } from './stripe.facts';
import { stripeSettings } from './stripe.settings';

const customerId = z.string().regex(/^cus_[A-Za-z0-9]{1,250}$/, 'must be the id of a customer (cus_...)');
const priceId = z.string().regex(/^(price|plan)_[A-Za-z0-9]{1,250}$/, 'must be the id of a price (price_...)');

/** Limits of https://docs.stripe.com/metadata: 50 keys of 40 characters, values of 500. */
export const createSubscriptionBody = z.strictObject({
  customerId,
  priceId,
  metadata: z
    .record(
      z
        .string()
        .min(1)
        .max(40)
        .regex(/^[^[\]]+$/, 'must not hold [ or ]'),
      z.string().max(500),
    )
    .refine((value) => Object.keys(value).length <= 50, { error: 'must have at most 50 keys' })
    .optional(),
});
export type CreateSubscription = z.output<typeof createSubscriptionBody>;

export const subscriptionId = z.string().regex(/^sub_[A-Za-z0-9]{1,250}$/, 'must be the id of a subscription (sub_...)');

export const changePriceBody = z.strictObject({
  subscriptionId,
  priceId,
  /** `prorate` puts the difference on the next invoice, `prorate_now` invoices it at once, `none` leaves it. */
  proration: z.enum(['prorate', 'prorate_now', 'none']).default('prorate'),
});
const address = z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }).max(2_000);

export const portalSessionBody = z.strictObject({ customerId, returnUrl: address });
export const checkoutSessionBody = z.strictObject({
  customerId,
  priceId,
  quantity: z.number().int().min(1).max(999_999).default(1),
  mode: z.enum(['subscription', 'payment']).default('subscription'),
  /** Where the browser goes afterwards; `{CHECKOUT_SESSION_ID}` in it is filled in by Stripe. */
  successUrl: address,
  cancelUrl: address,
});

export type ChangePrice = z.output<typeof changePriceBody>;

/** https://docs.stripe.com/billing/subscriptions/prorations */
const PRORATION = { prorate: 'create_prorations', prorate_now: 'always_invoice', none: 'none' } as const;

export interface CreatedSubscription {
  readonly subscriptionId: string;
  readonly status: string;
  /** For the browser, to confirm the first payment or the card; null where nothing is to be confirmed. */
  readonly clientSecret: string | null;
}

export interface CancelledSubscription {
  readonly subscriptionId: string;
  readonly cancelAtPeriodEnd: boolean;
  /** ISO 8601; null where no item has a period. */
  readonly currentPeriodEnd: string | null;
}

/** What people do with Stripe. */
@Injectable()
export class StripeService {
  private readonly apiBaseUrl: string;

  constructor(
    @Inject(SETTINGS) settings: Settings,
    private readonly http: GovernedHttp,
  ) {
    this.apiBaseUrl = providerSettings(settings, stripeSettings).apiBaseUrl ?? STRIPE_API_BASE_URL;
  }

  /**
   * A subscription that starts with its first payment: https://docs.stripe.com/billing/subscriptions/build-subscriptions
   * `idempotencyKey` was stored before, so that a second try cannot make a second subscription.
   * @throws IntegrationError `card_declined` with `declineCode`, `provider_not_found`, ...
   */
  async createSubscription(
    connection: ConnectionRef,
    wanted: CreateSubscription,
    idempotencyKey: string,
    signal?: AbortSignal,
  ): Promise<CreatedSubscription> {
    const client = this.client(connection, 'stripe.subscriptions.create', signal);
    const subscription = await stripeObject('subscription', () =>
      client.subscriptions.create(
        {
          customer: wanted.customerId,
          items: [{ price: wanted.priceId }],
          payment_behavior: 'default_incomplete',
          payment_settings: { save_default_payment_method: 'on_subscription' },
          expand: ['latest_invoice.confirmation_secret', 'pending_setup_intent'],
          ...(wanted.metadata === undefined ? {} : { metadata: wanted.metadata }),
        },
        { idempotencyKey },
      ),
    );
    return { subscriptionId: subscription.id, status: subscription.status, clientSecret: clientSecretOf(subscription) };
  }

  /** True: it ends with the period that is paid for, and stays active until then. False: it goes on. Said twice it is the same. */
  async setCancelAtPeriodEnd(
    connection: ConnectionRef,
    id: string,
    cancelAtPeriodEnd: boolean,
    idempotencyKey: string,
  ): Promise<CancelledSubscription> {
    const client = this.client(connection, cancelAtPeriodEnd ? 'stripe.subscriptions.cancel' : 'stripe.subscriptions.resume', undefined);
    const subscription = await stripeObject('subscription', () =>
      client.subscriptions.update(id, { cancel_at_period_end: cancelAtPeriodEnd }, { idempotencyKey }),
    );
    return {
      subscriptionId: subscription.id,
      cancelAtPeriodEnd: subscription.cancel_at_period_end,
      currentPeriodEnd: periodEndOf(subscription),
    };
  }

  /** @throws IntegrationError `invalid_request` where the subscription has several items: which one is meant is not ours to guess */
  async changePrice(
    connection: ConnectionRef,
    { subscriptionId: id, priceId: price, proration }: ChangePrice,
    idempotencyKey: string,
  ): Promise<{ subscriptionId: string; status: string; priceId: string }> {
    const client = this.client(connection, 'stripe.subscriptions.changePrice', undefined);
    const found = await stripeObject('subscription', () => client.subscriptions.retrieve(id));
    const [item, another] = found.items.data;
    if (!item || another) {
      throw new IntegrationError('invalid_request', {
        provider: STRIPE,
        notExecuted: true,
        detail: 'The subscription has several items, or none.',
        nextStep: 'Change its items through the proxy, naming the item.',
      });
    }
    const changed = await stripeObject('subscription', () =>
      client.subscriptions.update(id, { items: [{ id: item.id, price }], proration_behavior: PRORATION[proration] }, { idempotencyKey }),
    );
    return { subscriptionId: changed.id, status: changed.status, priceId: changed.items.data[0]?.price.id ?? price };
  }

  /** A page of Stripe's where the customer manages cards and subscriptions: https://docs.stripe.com/api/customer_portal/sessions/create */
  async openPortal(
    connection: ConnectionRef,
    { customerId: customer, returnUrl }: z.output<typeof portalSessionBody>,
    idempotencyKey: string,
  ): Promise<{ sessionId: string; url: string }> {
    const client = this.client(connection, 'stripe.portalSessions.create', undefined);
    const session = await stripeObject('billing_portal.session', () =>
      client.billingPortal.sessions.create({ customer, return_url: returnUrl }, { idempotencyKey }),
    );
    return { sessionId: session.id, url: session.url };
  }

  /** A page of Stripe's where the customer pays: https://docs.stripe.com/api/checkout/sessions/create */
  async startCheckout(
    connection: ConnectionRef,
    { customerId: customer, priceId: price, quantity, mode, successUrl, cancelUrl }: z.output<typeof checkoutSessionBody>,
    idempotencyKey: string,
  ): Promise<{ sessionId: string; url: string; expiresAt: string }> {
    const client = this.client(connection, 'stripe.checkoutSessions.create', undefined);
    const wanted = { customer, mode, line_items: [{ price, quantity }], success_url: successUrl, cancel_url: cancelUrl };
    const session = await stripeObject('checkout.session', () => client.checkout.sessions.create(wanted, { idempotencyKey }));
    if (!session.url) throw new IntegrationError('provider_bad_answer', { provider: STRIPE });
    return { sessionId: session.id, url: session.url, expiresAt: new Date(session.expires_at * 1000).toISOString() };
  }

  private client(connection: ConnectionRef, operation: string, signal: AbortSignal | undefined): Stripe {
    return stripeClient(this.http.fetchFor(connection, { operation, signal }), this.apiBaseUrl);
  }
}

/** The first invoice's payment, or the card that a trial asks for; `invoice.payment_intent` is gone since 2025-03-31. */
function clientSecretOf(subscription: Stripe.Subscription): string | null {
  const { latest_invoice: invoice, pending_setup_intent: setup } = subscription;
  const payment = typeof invoice === 'object' ? invoice?.confirmation_secret?.client_secret : undefined;
  const card = typeof setup === 'object' ? setup?.client_secret : undefined;
  const secret = payment ?? card ?? null;
  if (secret === null && subscription.status === 'incomplete')
    throw new IntegrationError('provider_bad_answer', {
      provider: STRIPE,
      detail: 'Stripe made the subscription but did not say how to pay for it.',
      retryable: false,
    });
  return secret;
}

/** The period lives on the items since 2025-03-31; the last to end decides. */
function periodEndOf(subscription: Stripe.Subscription): string | null {
  const ends = subscription.items.data.map((item) => item.current_period_end).filter((end) => Number.isFinite(end));
  return ends.length === 0 ? null : new Date(Math.max(...ends) * 1000).toISOString();
}
