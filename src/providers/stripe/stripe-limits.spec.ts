import { providerFixture, type ProviderFixture } from '../../../test/support/provider-fixture';
import { providerFor } from '../../integrations/providers/provider-for';
import type { ConnectionRef, Provider } from '../../integrations';
import { matchEndpoint } from '../../integrations/outbound/endpoint-matcher';
import type { Call } from '../../integrations/outbound/call';
import { MemoryLimitStore } from '../../integrations/outbound/policies/limits/memory-limit-store';
import { RateLimitInterceptor } from '../../integrations/outbound/policies/rate-limit.interceptor';
import { VirtualClock } from '../../integrations/outbound/testing/virtual-clock';
import { StripeAuthService } from './stripe-auth.service';
import { StripeSyncService } from './stripe-sync.service';
import { StripeWebhooksService } from './stripe-webhooks.service';
import { stripeProvider } from './stripe.module';

const SECONDS = 10;
const PATHS = ['customers', 'subscriptions', 'invoices', 'prices', 'products', 'events', 'payment_intents', 'account'];

let fixture: ProviderFixture;
beforeAll(async () => {
  fixture = await providerFixture([StripeAuthService, StripeSyncService, StripeWebhooksService]);
});
afterAll(() => fixture.close());

/** How many of more calls than may go are sent within ten seconds after the first burst, with the connection that this key makes. */
async function rateOf(platformKey: string, pasted: string, accepted: string): Promise<number> {
  const { module, settings } = fixture;
  const stripe = { ...settings.providers['stripe'], clientSecret: platformKey };
  const ofPlatform = { ...settings, providers: { ...settings.providers, stripe } } as typeof settings;
  const services = {
    auth: module.get(StripeAuthService),
    sync: module.get(StripeSyncService),
    webhooks: module.get(StripeWebhooksService),
  };
  const provider: Provider = stripeProvider(ofPlatform, services);
  // The pretend Stripe knows test keys only: it is asked with one, the mode is that of the key that was pasted.
  const asked: typeof fetch = (input, init) =>
    fetch(input, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), authorization: `Bearer ${accepted}` } });
  const account = await provider.auth.verifyApiKey!({ fetch: asked, apiKey: pasted });
  const connection: ConnectionRef = {
    id: 'c',
    tenant: 't',
    userId: 'u',
    provider: 'stripe',
    accountId: account.accountId,
    authType: 'api_key',
    metadata: account.metadata ?? {},
  };

  const clock = new VirtualClock();
  const step = new RateLimitInterceptor(new MemoryLimitStore(clock), clock, { maxWaiting: 10_000, maxWaitingPerAccount: 10_000 });
  const begun = clock.now();
  let sent = 0;
  let first = 0;
  const call = (path: string): Call => {
    const url = new URL(path, `${provider.apiBaseUrl}v1/`);
    const own = providerFor(provider, connection.metadata);
    const request = { method: 'GET', url, headers: new Headers() };
    const to = { provider: own, connection, request, endpoint: matchEndpoint(own.http, 'GET', url.pathname) };
    return { ...to, signal: new AbortController().signal, deadlineAt: Number.POSITIVE_INFINITY } as unknown as Call;
  };
  const calls = Array.from({ length: 1_500 }, (_, n) =>
    step.intercept(call(PATHS[n % PATHS.length]!), () => {
      if (clock.now() === begun) first++;
      if (clock.now() - begun <= SECONDS * 1_000) sent++;
      return Promise.resolve(new Response('{}'));
    }),
  );
  calls.forEach((each) => each.catch(() => undefined));
  await clock.advance(SECONDS * 1_000);
  return (sent - first) / SECONDS;
}

it.each([
  ['sk_test_platform', 'rk_test_123456789012', 25],
  ['sk_live_platform', 'rk_test_123456789012', 25],
  ['sk_test_platform', 'rk_live_123456789012', 100],
  ['sk_live_platform', 'sk_live_123456789012', 100],
] as const)(
  'beside a platform of %s a pasted %s makes as many calls a second as its own mode allows',
  async (platform, pasted, perSecond) => {
    const accepted = String(fixture.sandbox.control.change('stripe', 'keys', { account: 'acct_1Limits' })['key']);
    const rate = await rateOf(platform, pasted, accepted);
    expect(rate).toBeGreaterThan(perSecond * 0.9);
    expect(rate).toBeLessThanOrEqual(perSecond);
  },
);
