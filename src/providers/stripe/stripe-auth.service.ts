import { Inject, Injectable } from '@nestjs/common';
import type Stripe from 'stripe';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings, type ProviderSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import type { AccountIdentity, Fetch, ProviderAuth, TokenGrant } from '../../integrations';
import { STRIPE, STRIPE_API_BASE_URL, stripeOAuth2 } from './stripe.facts';
import { stripeClient, stripeList, stripeObject } from './stripe.client';
import { accountIn, isLiveKey, stripeAccountOf } from './stripe.modes';
import { stripeSettings } from './stripe.settings';

const token = z.string().min(1).max(4096);
const accountId = z.string().regex(/^acct_[A-Za-z0-9]{1,64}$/);

/** https://docs.stripe.com/connect/oauth-reference#post-token-response */
const tokenBody = z.object({
  access_token: token,
  refresh_token: token.optional(),
  scope: z.string().max(200).optional(),
  livemode: z.boolean().optional(),
  stripe_user_id: accountId.optional(),
});

const deauthorized = z.object({ stripe_user_id: z.string() });
const refusal = z.object({ error: z.string() });

/** Connect by OAuth, or with a pasted secret or restricted key. */
@Injectable()
export class StripeAuthService implements ProviderAuth {
  private readonly own: ProviderSettings;
  private readonly apiBaseUrl: string;

  constructor(@Inject(SETTINGS) settings: Settings) {
    this.own = providerSettings(settings, stripeSettings);
    this.apiBaseUrl = this.own.apiBaseUrl ?? STRIPE_API_BASE_URL;
  }

  parseTokenResponse(body: unknown): readonly TokenGrant[] {
    const failed = refusal.safeParse(body);
    if (failed.success)
      throw new IntegrationError('connect_failed', { provider: STRIPE, providerCode: failed.data.error.slice(0, 64), notExecuted: true });
    const answer = readTokenBody(body);
    // Connect's tokens do not expire; there is nothing to refresh, and the refresh token only serves to change the mode.
    return [{ kind: 'default', accessToken: answer.access_token, scopes: (answer.scope ?? '').split(' ').filter(Boolean) }];
  }

  async identify({
    fetch,
    tokenBody: body,
  }: {
    fetch: Fetch;
    grants: readonly TokenGrant[];
    tokenBody: unknown;
  }): Promise<AccountIdentity> {
    const { stripe_user_id: granted, livemode } = readTokenBody(body);
    const account = await this.account(fetch);
    if (granted !== undefined && account.id !== granted)
      throw new IntegrationError('connect_failed', {
        provider: STRIPE,
        detail: 'Stripe answered for another account than the one that was connected.',
      });
    // Calls are made with the platform's key, so where the answer does not tell the mode is that key's.
    return identityOf(account, livemode ?? isLiveKey(this.own.clientSecret) ?? false);
  }

  async verifyApiKey({ fetch, apiKey }: { fetch: Fetch; apiKey: string }): Promise<AccountIdentity & { scopes?: readonly string[] }> {
    const livemode = isLiveKey(apiKey) ?? false;
    try {
      const account = await this.account(fetch);
      return identityOf(account, livemode);
    } catch (error) {
      if (!(error instanceof IntegrationError)) throw error;
      if (error.code === 'provider_forbidden') return this.verifyRestrictedKey(fetch, error, livemode);
      throw rejected(error);
    }
  }

  /** https://docs.stripe.com/connect/oauth-reference#post-deauthorize; a pasted key is ended in Stripe's dashboard only. */
  async revoke({ fetch, connection }: Parameters<NonNullable<ProviderAuth['revoke']>>[0]): Promise<boolean> {
    if (connection.authType === 'api_key') return false;
    const { clientId, clientSecret, revokeUrl } = stripeOAuth2(this.own);
    if (!revokeUrl) return false;
    try {
      const answer = await fetch(revokeUrl, {
        method: 'POST',
        headers: { authorization: `Bearer ${clientSecret}` },
        body: new URLSearchParams({ client_id: clientId, client_secret: clientSecret, stripe_user_id: stripeAccountOf(connection) }),
      });
      return deauthorized.safeParse(await answer.json()).success;
    } catch (error) {
      // "This application is not connected to that account": nothing left to end.
      if (error instanceof IntegrationError && error.code === 'not_connected') return true;
      throw error;
    }
  }

  /** A restricted key need not be able to read its account: then it must be able to read what is synced. */
  private async verifyRestrictedKey(fetch: Fetch, refused: IntegrationError, livemode: boolean): Promise<AccountIdentity> {
    const id = accountId.safeParse(refused.extra?.['accountId']);
    try {
      await stripeList(() => stripeClient(fetch, this.apiBaseUrl).customers.list({ limit: 1 }));
    } catch (error) {
      throw error instanceof IntegrationError ? rejected(error) : error;
    }
    if (!id.success)
      throw new IntegrationError('credentials_rejected', {
        provider: STRIPE,
        detail: 'With this key Stripe does not say which account it belongs to.',
        nextStep: 'Give the key the permission to read accounts, then try again.',
      });
    return {
      accountId: accountIn(id.data, livemode),
      accountName: named(id.data, livemode),
      metadata: { livemode, restricted: true },
    };
  }

  private account(fetch: Fetch): Promise<Stripe.Account> {
    return stripeObject('account', () => stripeClient(fetch, this.apiBaseUrl).accounts.retrieveCurrent());
  }
}

function readTokenBody(body: unknown): z.infer<typeof tokenBody> {
  const parsed = tokenBody.safeParse(body);
  if (!parsed.success)
    throw new IntegrationError('provider_bad_answer', {
      provider: STRIPE,
      detail: 'Stripe answered the sign-in with something that could not be read.',
    });
  return parsed.data;
}

function identityOf(account: Stripe.Account, livemode: boolean): AccountIdentity {
  const name = account.settings?.dashboard?.display_name || account.business_profile?.name || account.email || account.id;
  return {
    accountId: accountIn(account.id, livemode),
    accountName: named(name, livemode),
    metadata: { livemode, country: account.country ?? null },
  };
}

/** Both may be connected, and stand on one card. */
function named(name: string, livemode: boolean): string {
  return livemode ? name : `${name} (test mode)`;
}

/** What a bad key is told; a provider that is down or busy says nothing about the key. */
function rejected(error: IntegrationError): IntegrationError {
  const aboutTheKey =
    error.code === 'needs_reauth' || error.code === 'not_connected' || error.code === 'provider_forbidden' || error.providerStatus === 401;
  if (!aboutTheKey) return error;
  const detail =
    error.code === 'provider_forbidden'
      ? 'This key may not read customers, so nothing could be synced with it.'
      : 'Stripe did not accept this key.';
  return new IntegrationError('credentials_rejected', {
    provider: STRIPE,
    providerCode: error.providerCode,
    providerStatus: error.providerStatus,
    detail,
    cause: error,
  });
}
