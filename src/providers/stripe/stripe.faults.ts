import type { ErrorCode } from '../../errors';
import type { ProviderFault } from '../../integrations';

type Answer = { readonly status: number; readonly headers: Headers; readonly json: unknown; readonly authType?: 'oauth2' | 'api_key' };
type Fault = Omit<ProviderFault, 'providerCode' | 'extra'>;

interface StripeError {
  readonly type?: string;
  readonly code?: string;
  readonly decline_code?: string;
  readonly message?: string;
  readonly param?: string;
}

/** Codes that say more than their type: https://docs.stripe.com/error-codes */
const BY_CODE: Readonly<Record<string, Fault>> = {
  rate_limit: { code: 'provider_rate_limited', retryable: true, notExecuted: true, detail: 'Stripe asks us to slow down.' },
  // Two writes to one object at the same time: https://docs.stripe.com/rate-limits#object-lock-timeouts
  lock_timeout: {
    code: 'provider_rate_limited',
    retryable: true,
    notExecuted: true,
    detail: 'Stripe is still busy with another change of the same object.',
  },
  // The first request with this key is still at work: asked again with the same key, Stripe answers what became of it.
  idempotency_key_in_use: {
    code: 'provider_conflict',
    retryable: true,
    notExecuted: false,
    detail: 'Stripe is still busy with the first request of this kind.',
    nextStep: 'Wait a moment, then ask again.',
  },
  resource_missing: {
    code: 'provider_not_found',
    retryable: false,
    notExecuted: true,
    detail: 'Stripe has no such object.',
    nextStep: 'Check the id; it may have been removed, or belong to the other mode (test or live).',
  },
  account_invalid: { code: 'needs_reauth', grantEnded: true, notExecuted: true, detail: 'Stripe ended the access to this account.' },
  platform_account_required: { code: 'provider_misconfigured', retryable: false, notExecuted: true },
  api_key_expired: {
    code: 'needs_reauth',
    grantEnded: true,
    notExecuted: true,
    detail: 'This Stripe key has expired.',
    nextStep: 'Connect Stripe again with a new key.',
  },
  livemode_mismatch: {
    code: 'provider_rejected',
    retryable: false,
    notExecuted: true,
    detail: 'This object belongs to the other mode of Stripe (test or live).',
  },
  testmode_charges_only: {
    code: 'provider_forbidden',
    retryable: false,
    notExecuted: true,
    detail: 'This Stripe account is not yet activated for live payments.',
    nextStep: 'Finish the activation in the Stripe dashboard.',
  },
};

/** Reasons that may be told to the person who pays: https://docs.stripe.com/declines/codes */
const DECLINES: Readonly<Record<string, readonly [detail: string, nextStep: string]>> = {
  insufficient_funds: ['Your card was declined: it has insufficient funds.', 'Use another card, or try again later.'],
  expired_card: ['Your card was declined: it has expired.', 'Use another card.'],
  incorrect_cvc: ['Your card was declined: the security code is not right.', 'Check the security code and try again.'],
  invalid_cvc: ['Your card was declined: the security code is not right.', 'Check the security code and try again.'],
  incorrect_number: ['Your card was declined: the number is not right.', 'Check the number and try again.'],
  invalid_number: ['Your card was declined: the number is not right.', 'Check the number and try again.'],
  incorrect_zip: ['Your card was declined: the postal code is not right.', 'Check the postal code and try again.'],
  invalid_expiry_month: ['Your card was declined: the expiry date is not right.', 'Check the expiry date and try again.'],
  invalid_expiry_year: ['Your card was declined: the expiry date is not right.', 'Check the expiry date and try again.'],
  card_not_supported: ['Your card was declined: it does not support this kind of purchase.', 'Use another card.'],
  currency_not_supported: ['Your card was declined: it does not support this currency.', 'Use another card.'],
  authentication_required: ['Your bank asks you to confirm this payment.', 'Try again and confirm the payment with your bank.'],
  processing_error: ['Your card could not be processed.', 'Try again in a moment, or use another card.'],
  issuer_not_available: ['Your bank could not be reached.', 'Try again in a moment, or use another card.'],
  try_again_later: ['Your card was declined.', 'Try again in a moment, or use another card.'],
  card_velocity_exceeded: ['Your card was declined: its limit is reached.', 'Use another card, or ask the bank.'],
  withdrawal_count_limit_exceeded: ['Your card was declined: its limit is reached.', 'Use another card, or ask the bank.'],
};

/** Who steals a card must not learn that it was noticed: shown as a plain decline, the code included. */
const HIDDEN_DECLINES: readonly string[] = [
  'fraudulent',
  'lost_card',
  'stolen_card',
  'pickup_card',
  'restricted_card',
  'security_violation',
  'merchant_blacklist',
  'highest_risk_level',
  'elevated_risk_level',
  'rule',
];

/** What the operator has to mend, by the code: the platform's key is the client's secret at the token endpoint as well. */
export const STRIPE_MENDED_BY: Readonly<Record<string, string>> = {
  invalid_client: 'STRIPE_SECRET_KEY',
  invalid_request_error: 'STRIPE_SECRET_KEY',
  api_key_expired: 'STRIPE_SECRET_KEY',
  platform_account_required: 'STRIPE_SECRET_KEY',
  unauthorized_client: 'STRIPE_CLIENT_ID',
};

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  403: 'provider_forbidden',
  404: 'provider_not_found',
  409: 'provider_conflict',
  429: 'provider_rate_limited',
};

/** Reads `error` of Stripe's answers, and notices a failing status without one, which the SDK would take for success. */
export function readStripeFault({ status, json, authType }: Answer): ProviderFault | undefined {
  if (status < 400) return undefined;
  const error = errorOf(json);
  if (typeof error === 'string') return oauthFault(error, (json as { error_description?: unknown }).error_description);
  // No word of Stripe's: the HTTP status decides.
  if (!error) return undefined;
  const providerCode = safeCode(error.code) ?? safeCode(error.type);
  if (error.type === 'card_error' || status === 402) return cardFault(error);
  // A connected account is called with the platform's own key: that key is refused, not the account's grant.
  if (authType === 'oauth2' && (status === 401 || error.code === 'api_key_expired'))
    return { code: 'provider_misconfigured', providerCode, retryable: false, notExecuted: true };
  const known = error.code !== undefined && Object.hasOwn(BY_CODE, error.code) ? BY_CODE[error.code] : undefined;
  if (known) return { ...known, providerCode };
  // A revoked or mistyped key; with a platform key the core's own refresh has nothing to refresh, so the status decides there too.
  if (status === 401)
    return {
      code: 'needs_reauth',
      grantEnded: true,
      notExecuted: true,
      providerCode,
      detail: 'Stripe did not accept the key.',
      nextStep: 'Connect Stripe again.',
    };
  if (status === 403) return permissionFault(error, providerCode);
  if (error.type === 'idempotency_error') return { code: 'idempotency_key_reused', retryable: false, notExecuted: true, providerCode };
  if (status >= 500) return { code: 'provider_unavailable', providerCode, detail: 'Stripe has a problem at the moment.' };
  return {
    code: BY_STATUS[status] ?? 'provider_rejected',
    providerCode,
    notExecuted: true,
    ...(status === 429 ? { retryable: true } : { retryable: false }),
    ...(status === 400
      ? { detail: error.param ? `Stripe did not accept "${safeParam(error.param)}".` : 'Stripe did not accept the request.' }
      : {}),
  };
}

function cardFault(error: StripeError): ProviderFault {
  const decline = safeCode(error.decline_code) ?? (error.code === 'card_declined' ? undefined : safeCode(error.code)) ?? 'generic_decline';
  const declineCode = HIDDEN_DECLINES.includes(decline) ? 'generic_decline' : decline;
  const [detail, nextStep] = (Object.hasOwn(DECLINES, declineCode) ? DECLINES[declineCode] : undefined) ?? [
    'Your card was declined.',
    'Use another card, or ask the bank.',
  ];
  return {
    code: 'card_declined',
    providerCode: safeCode(error.code) ?? 'card_declined',
    retryable: false,
    notExecuted: true,
    detail,
    nextStep,
    extra: { declineCode },
  };
}

/** The account that a restricted key belongs to stands in the refusal only; for such a key there is no other way to learn it. */
function permissionFault(error: StripeError, providerCode: string | undefined): ProviderFault {
  const accountId = /\bacct_[A-Za-z0-9]{6,64}\b/.exec(error.message ?? '')?.[0];
  if (/application access may have been revoked/i.test(error.message ?? ''))
    return { ...BY_CODE['account_invalid'], code: 'needs_reauth', providerCode: providerCode ?? 'account_invalid' };
  return {
    code: 'provider_forbidden',
    providerCode,
    retryable: false,
    notExecuted: true,
    detail: 'The Stripe key may not do this.',
    nextStep: 'Give the key the permission in the Stripe dashboard, or connect with another key.',
    ...(accountId ? { extra: { accountId } } : {}),
  };
}

/** The token endpoint's errors are strings: https://docs.stripe.com/connect/oauth-reference */
function oauthFault(error: string, description: unknown): ProviderFault {
  const providerCode = safeCode(error);
  // Deauthorizing what is not connected has the code of a wrong client; only the sentence tells them apart.
  if (typeof description === 'string' && /not connected to/i.test(description))
    return { code: 'not_connected', providerCode, retryable: false, notExecuted: true };
  if (providerCode === 'invalid_client' || providerCode === 'unauthorized_client')
    return { code: 'provider_misconfigured', providerCode, retryable: false, notExecuted: true };
  return {
    code: 'connect_failed',
    providerCode,
    retryable: false,
    notExecuted: true,
    detail: 'Stripe did not accept this sign-in.',
    nextStep: 'Start connecting again.',
  };
}

function errorOf(json: unknown): StripeError | string | undefined {
  const error = (json as { error?: unknown } | null | undefined)?.error;
  if (typeof error === 'string') return error;
  return typeof error === 'object' && error !== null ? (error as StripeError) : undefined;
}

function safeCode(code: unknown): string | undefined {
  return typeof code === 'string' && /^[a-z][a-z0-9_]{0,63}$/.test(code) ? code : undefined;
}

function safeParam(param: unknown): string {
  return typeof param === 'string' && /^[a-z0-9_[\]]{1,64}$/i.test(param) ? param : 'a field';
}
