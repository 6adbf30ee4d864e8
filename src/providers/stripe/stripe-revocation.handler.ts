import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import { OnWebhook, type ConnectionRef, type Fetch, type HandlerContext, type WebhookEvent, type WebhookHandler } from '../../integrations';
import { stripeClient, stripeObject } from './stripe.client';
import { STRIPE, STRIPE_API_BASE_URL } from './stripe.facts';
import { stripeSettings } from './stripe.settings';

/**
 * The account ended the platform's access. Stripe is asked, since the account may have been connected again before this came.
 * https://docs.stripe.com/connect/oauth-reference#deauthorize
 */
@Injectable()
@OnWebhook(STRIPE, 'account.application.deauthorized')
export class StripeRevocationHandler implements WebhookHandler<unknown, boolean> {
  private readonly apiBaseUrl: string;

  constructor(@Inject(SETTINGS) settings: Settings) {
    this.apiBaseUrl = providerSettings(settings, stripeSettings).apiBaseUrl ?? STRIPE_API_BASE_URL;
  }

  async prepare(
    _event: WebhookEvent,
    { connection, fetch }: { connection: ConnectionRef; fetch: Fetch; signal: AbortSignal },
  ): Promise<boolean> {
    // A pasted key is the account's own; the platform's access has no part in it.
    if (connection.authType !== 'oauth2') return false;
    try {
      await stripeObject('account', () => stripeClient(fetch, this.apiBaseUrl).accounts.retrieveCurrent());
      return false;
    } catch (error) {
      if (error instanceof IntegrationError && (error.code === 'needs_reauth' || error.code === 'not_connected')) return true;
      throw error;
    }
  }

  async handle({ type }: WebhookEvent, context: HandlerContext, ended: boolean): Promise<void> {
    if (context.connection && ended) await context.markRevoked({ code: 'needs_reauth', providerCode: type });
  }
}
