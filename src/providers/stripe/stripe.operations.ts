import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { defineOperation } from '../../integrations';
import { STRIPE } from './stripe.facts';
import {
  changePriceBody,
  checkoutSessionBody,
  createSubscriptionBody,
  portalSessionBody,
  StripeService,
  subscriptionId,
} from './stripe.service';

const SCOPES = ['read_write'];
const one = z.strictObject({ subscriptionId });
const atPeriodEnd = z.object({
  subscriptionId: z.string(),
  cancelAtPeriodEnd: z.boolean(),
  currentPeriodEnd: z.string().nullable().describe('ISO 8601; null where no item has a period.'),
});

/** What can be done with Stripe. Every change carries a key that was stored before: sent again, it happens once. */
@Injectable()
export class StripeOperations {
  constructor(private readonly stripe: StripeService) {}

  readonly createSubscription = defineOperation({
    name: 'subscriptions.create',
    provider: STRIPE,
    title: 'Start a subscription',
    description: 'A subscription of a customer to a price, which waits for its first payment; the client secret is for the browser.',
    input: createSubscriptionBody,
    output: z.object({ subscriptionId: z.string(), status: z.string(), clientSecret: z.string().nullable() }),
    effect: 'write',
    makes: true,
    scopes: SCOPES,
    repeat: 'provider-key',
    run: ({ connection, input, providerKey }) => this.stripe.createSubscription(connection, input, providerKey),
  });

  readonly cancelSubscription = defineOperation({
    name: 'subscriptions.cancel',
    provider: STRIPE,
    title: 'Cancel a subscription',
    description: 'Cancels at the end of the period that is paid for; until then it stays active, and the cancel can be undone.',
    input: one,
    output: atPeriodEnd,
    effect: 'write',
    idempotent: true,
    scopes: SCOPES,
    repeat: 'provider-key',
    run: ({ connection, input, providerKey }) => this.stripe.setCancelAtPeriodEnd(connection, input.subscriptionId, true, providerKey),
  });

  readonly resumeSubscription = defineOperation({
    name: 'subscriptions.resume',
    provider: STRIPE,
    title: 'Undo a cancel',
    description: 'A subscription that was to end with its period goes on. What has ended already cannot be resumed.',
    input: one,
    output: atPeriodEnd,
    effect: 'write',
    idempotent: true,
    scopes: SCOPES,
    repeat: 'provider-key',
    run: ({ connection, input, providerKey }) => this.stripe.setCancelAtPeriodEnd(connection, input.subscriptionId, false, providerKey),
  });

  readonly changePrice = defineOperation({
    name: 'subscriptions.changePrice',
    provider: STRIPE,
    title: 'Change the price',
    description: 'Moves a subscription of one item to another price; what was paid is prorated unless said otherwise.',
    input: changePriceBody,
    output: z.object({ subscriptionId: z.string(), status: z.string(), priceId: z.string() }),
    effect: 'write',
    scopes: SCOPES,
    repeat: 'provider-key',
    run: ({ connection, input, providerKey }) => this.stripe.changePrice(connection, input, providerKey),
  });

  readonly createPortalSession = defineOperation({
    name: 'portalSessions.create',
    provider: STRIPE,
    title: 'Open the billing portal',
    description:
      'A short-lived address of Stripe where the customer manages cards, invoices and subscriptions; it is for that customer alone.',
    input: portalSessionBody,
    output: z.object({ sessionId: z.string(), url: z.string() }),
    effect: 'write',
    makes: true,
    scopes: SCOPES,
    repeat: 'provider-key',
    run: ({ connection, input, providerKey }) => this.stripe.openPortal(connection, input, providerKey),
  });

  readonly createCheckoutSession = defineOperation({
    name: 'checkoutSessions.create',
    provider: STRIPE,
    title: 'Start a checkout',
    description: 'An address of Stripe where the customer pays for a price, once or as a subscription, until it expires.',
    input: checkoutSessionBody,
    output: z.object({ sessionId: z.string(), url: z.string(), expiresAt: z.string().describe('ISO 8601.') }),
    effect: 'write',
    makes: true,
    scopes: SCOPES,
    repeat: 'provider-key',
    run: ({ connection, input, providerKey }) => this.stripe.startCheckout(connection, input, providerKey),
  });

  readonly all = [
    this.createSubscription,
    this.cancelSubscription,
    this.resumeSubscription,
    this.changePrice,
    this.createPortalSession,
    this.createCheckoutSession,
  ];
}
