import { Inject, Module } from '@nestjs/common';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationsModule, OperationRegistry, ProviderRegistry, type Provider } from '../../integrations';
import { StripeAuthService } from './stripe-auth.service';
import { StripeRecordsHandler } from './stripe-records.handler';
import { StripeRevocationHandler } from './stripe-revocation.handler';
import { StripeSyncService } from './stripe-sync.service';
import { StripeWebhooksService } from './stripe-webhooks.service';
import { StripeController } from './stripe.controller';
import { STRIPE, STRIPE_API_BASE_URL, STRIPE_API_KEY, stripeHttp, stripeOAuth2 } from './stripe.facts';
import { isLiveKey } from './stripe.modes';
import { STRIPE_MENDED_BY } from './stripe.faults';
import { StripeOperations } from './stripe.operations';
import { StripeService } from './stripe.service';
import { stripeSettings } from './stripe.settings';
import translations from './stripe.translations.json';

@Module({
  imports: [IntegrationsModule],
  controllers: [StripeController],
  providers: [
    StripeAuthService,
    StripeSyncService,
    StripeWebhooksService,
    StripeService,
    StripeOperations,
    StripeRecordsHandler,
    StripeRevocationHandler,
  ],
  exports: [StripeService],
})
export class StripeModule {
  static readonly settings = stripeSettings;

  constructor(
    registry: ProviderRegistry,
    @Inject(SETTINGS) settings: Settings,
    auth: StripeAuthService,
    sync: StripeSyncService,
    webhooks: StripeWebhooksService,
    operations: OperationRegistry,
    own: StripeOperations,
  ) {
    operations.register(own.all);
    registry.register(stripeProvider(settings, { auth, sync, webhooks }));
  }
}

/** What Stripe is, all in one place. */
export function stripeProvider(settings: Settings, services: Pick<Provider, 'auth' | 'sync' | 'webhooks'>): Provider {
  const own = providerSettings(settings, stripeSettings);
  const apiBaseUrl = own.apiBaseUrl ?? STRIPE_API_BASE_URL;
  const inMode = (live: boolean): Provider => ({
    key: STRIPE,
    name: 'Stripe',
    translations,
    // A pasted key needs nothing of this server's; without a client id only Connect is missing.
    configured: Boolean(own.clientId && own.clientSecret),
    apiBaseUrl,
    oauth2: stripeOAuth2(own),
    apiKey: STRIPE_API_KEY,
    ...services,
    http: stripeHttp(own, apiBaseUrl, live),
    mendedBy: STRIPE_MENDED_BY,
    actions: [
      'subscriptions.create',
      'subscriptions.cancel',
      'subscriptions.resume',
      'subscriptions.changePrice',
      'portalSessions.create',
      'checkoutSessions.create',
    ],
  });
  const [test, live] = [inMode(false), inMode(true)];
  const resolve = ({ livemode }: Readonly<Record<string, unknown>>) => (livemode === true ? live : test);
  // Before an account is known the platform's own key speaks.
  return { ...(isLiveKey(own.clientSecret) ? live : test), resolve };
}
