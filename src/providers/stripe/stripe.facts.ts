import type { ProviderSettings } from '../../config/provider-settings';
import type { ApiKeyFacts, ConnectionRef, EndpointFacts, HttpFacts, OAuth2Facts, SignatureScheme } from '../../integrations';
import { readStripeFault } from './stripe.faults';
import { stripeAccountOf } from './stripe.modes';

export const STRIPE = 'stripe';
export const STRIPE_API_BASE_URL = 'https://api.stripe.com/';
/** What the SDK that we ship was made for; a webhook endpoint should be created with the same. */
export const STRIPE_API_VERSION = '2026-10-28.endive';

/**
 * While a secret is rolled Stripe signs with both; `v0`, of test clocks, is passed over. Its own library does not look at a timestamp in
 * the future; we do: https://docs.stripe.com/webhooks#verify-manually
 */
export const STRIPE_SIGNATURE = {
  kind: 'hmac',
  header: 'stripe-signature',
  parts: { timestamp: 't', signature: 'v1' },
  signed: '{timestamp}.{body}',
} as const satisfies SignatureScheme;

const CONNECT_ORIGIN = 'https://connect.stripe.com';

/** Stripe Connect: https://docs.stripe.com/connect/oauth-reference */
export function stripeOAuth2(settings: ProviderSettings): OAuth2Facts {
  return {
    clientId: settings.clientId ?? '',
    clientSecret: settings.clientSecret ?? '',
    authorizeUrl: settings.authorizeUrl ?? `${CONNECT_ORIGIN}/oauth/authorize`,
    tokenUrl: settings.tokenUrl ?? `${CONNECT_ORIGIN}/oauth/token`,
    revokeUrl: settings.revokeUrl ?? `${CONNECT_ORIGIN}/oauth/deauthorize`,
    scopes: ['read_write'],
    scopeWords: {
      read_write: 'See and change everything in your Stripe account: customers, payments, subscriptions, payouts',
      read_only: 'See everything in your Stripe account, and change nothing',
    },
    scopeSeparator: ' ',
    pkce: false,
    refusalCodes: ['invalid_grant'],
    clientFaultCodes: ['invalid_client', 'unauthorized_client', 'invalid_request', 'unsupported_grant_type'],
  };
}

export const STRIPE_API_KEY: ApiKeyFacts = {
  pattern: /^(sk|rk)_(test|live)_[A-Za-z0-9_]{8,255}$/,
  help: 'In the Stripe dashboard under Developers, API keys: a secret key (sk_...) or, better, a restricted key (rk_...) that may read accounts and customers.',
};

const LISTS = [
  'customers',
  'subscriptions',
  'invoices',
  'prices',
  'products',
  'payment_intents',
  'charges',
  'events',
  'invoice_payments',
  'setup_intents',
];

/**
 * Limits of an account in live mode or in test mode, and of one endpoint: https://docs.stripe.com/rate-limits
 *
 * @param live of the connection, which is that of its key
 */
export function stripeHttp(settings: ProviderSettings, apiBaseUrl: string, live: boolean): HttpFacts {
  const prefix = new URL(apiBaseUrl).pathname.replace(/\/$/, '');
  const endpoints: EndpointFacts[] = [
    { path: `${prefix}/v1/account`, limits: ['endpoint'] },
    { path: `${prefix}/v1/billing_portal/sessions`, limits: ['endpoint'] },
    { path: `${prefix}/v1/checkout/sessions`, limits: ['endpoint'] },
    { path: `${prefix}/v1/test_helpers/test_clocks`, limits: ['endpoint'] },
    ...LISTS.flatMap((name) => [
      { path: `${prefix}/v1/${name}`, limits: ['endpoint'] },
      { path: `${prefix}/v1/${name}/:id`, limits: ['endpoint'] },
    ]),
  ];
  return {
    endpoints,
    limits: {
      account: live ? { perSecond: 100, burst: 50, per: 'account' } : { perSecond: 25, burst: 15, per: 'account' },
      endpoint: { perSecond: 25, burst: 15, per: 'endpoint' },
    },
    defaultLimits: ['account'],
    retry: { idempotencyHeader: 'Idempotency-Key' },
    authorize: (headers, { accessToken, connection }) => authorize(headers, accessToken, settings.clientSecret, connection),
    foreignAccount: { headers: ['stripe-account', 'stripe-context'], parameters: ['_stripe_account', '_stripe_context'] },
    readFault: readStripeFault,
  };
}

/**
 * A connected account is reached with the platform's own key and its id, since the tokens of Connect are on the way out; a pasted key speaks for itself.
 * https://docs.stripe.com/connect/authentication
 */
function authorize(headers: Headers, accessToken: string, platformKey: string | undefined, connection: ConnectionRef | undefined): void {
  // Neither the SDK's placeholder nor a caller of the proxy chooses the account.
  headers.delete('stripe-account');
  headers.delete('stripe-context');
  const forAccount = connection?.authType === 'oauth2' && connection.accountId && platformKey;
  headers.set('authorization', `Bearer ${forAccount ? platformKey : accessToken}`);
  if (forAccount) headers.set('stripe-account', stripeAccountOf(connection));
}
