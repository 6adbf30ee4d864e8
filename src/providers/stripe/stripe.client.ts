import type Stripe from 'stripe';
import { IntegrationError } from '../../errors';
import { callSdk, type Fetch } from '../../integrations';
import { STRIPE, STRIPE_API_VERSION } from './stripe.facts';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- 200 files, loaded by the first who calls Stripe
const sdk = () => require('stripe') as typeof Stripe;

/** Stripe wants a key at once; the chain sets the real one on the way out. */
const PLACEHOLDER_KEY = 'sk_test_set_by_the_chain';

/** Stripe's own client on a governed fetch: no retries of its own (its Node client retries resets even when told not to, its fetch client does not). */
export function stripeClient(fetch: Fetch, apiBaseUrl: string): Stripe {
  const { hostname, port, protocol } = new URL(apiBaseUrl);
  const SDK = sdk();
  return new SDK(PLACEHOLDER_KEY, {
    apiVersion: STRIPE_API_VERSION,
    host: hostname,
    protocol: protocol === 'http:' ? 'http' : 'https',
    ...(port === '' ? {} : { port: Number(port) }),
    maxNetworkRetries: 0,
    // The chain's deadline counts; the SDK's own must only be longer.
    timeout: 120_000,
    telemetry: false,
    httpClient: SDK.createFetchHttpClient(fetch),
  });
}

/**
 * A call whose answer must be the object that was asked for: the SDK resolves any JSON that has no `error`, an upstream's `{"message": ...}` included.
 * @throws IntegrationError `provider_bad_answer`
 */
export async function stripeObject<T extends { object?: unknown }>(kind: string, call: () => Promise<T>): Promise<T> {
  const answer = await callSdk(call);
  const { id, object } = (answer ?? {}) as { id?: unknown; object?: unknown };
  if (object !== kind || (kind !== 'list' && typeof id !== 'string'))
    throw new IntegrationError('provider_bad_answer', { provider: STRIPE });
  return answer;
}

/** A page of a list, checked likewise: an answer without `data` must not look like an empty account. */
export async function stripeList<T extends { id?: string }>(
  call: () => Promise<Stripe.ApiList<T>>,
): Promise<{ data: T[]; hasMore: boolean }> {
  const { data, has_more: hasMore } = await stripeObject('list', call);
  if (!Array.isArray(data) || typeof hasMore !== 'boolean') throw new IntegrationError('provider_bad_answer', { provider: STRIPE });
  return { data, hasMore };
}
