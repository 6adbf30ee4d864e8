import { secretText } from '../random';
import type { SandboxContext } from '../sandbox-context';
import { viewByAccount, type EventSpec, type MintSpec, type RunningProvider, type SandboxProvider } from '../sandbox-provider';
import type { Json, ProviderSurface } from '../sandbox.types';
import { TokenStore } from '../token-store';
import type { Delivery } from '../webhook-sender';
import { StripeApi } from './stripe.api';
import { changeCustomer, changeSubscription, DEFAULT_ACCOUNT } from './stripe.changes';
import { StripeOAuth } from './stripe.oauth';
import { emptyStripeState, type StripeState } from './stripe.state';
import { StripeSubscriptions } from './stripe.subscriptions';
import { sampleObject, stripeView } from './stripe.view';
import { StripeWorld } from './stripe.world';

/** The pretend Stripe: its data, its tokens, its HTTP surface. */
export class StripeSandbox implements RunningProvider {
  readonly tokens: TokenStore;
  readonly world: StripeWorld;
  readonly subscriptions: StripeSubscriptions;
  readonly oauth: StripeOAuth;
  readonly surface: ProviderSurface;
  readonly events = [
    'invoice.paid',
    'customer.updated',
    'customer.subscription.updated',
    'payment_intent.succeeded',
    'price.updated',
    'v1.customer.updated',
  ];
  readonly changes: RunningProvider['changes'] = {
    customers: (change) => changeCustomer(this.world, change),
    subscriptions: (change) => changeSubscription(this.world, this.subscriptions, change),
    // A restricted key, as a person would paste it.
    keys: ({ account = DEFAULT_ACCOUNT, scopes }) => ({
      key: this.oauth.createKey(account, Array.isArray(scopes) ? scopes.map(String) : ['read_write']),
    }),
  };

  constructor(
    private readonly context: SandboxContext,
    readonly state: StripeState,
  ) {
    this.tokens = new TokenStore(state.tokens, context.now, context.changed);
    forgetUnfinished(state);
    // Connected accounts report to the platform's endpoint, and the platform's own account does.
    this.world = new StripeWorld(context, state, (id) => id === state.platformId || this.tokens.activeGrants(id).length > 0);
    this.subscriptions = new StripeSubscriptions(this.world);
    this.oauth = new StripeOAuth(context, this.world, this.tokens);
    const api = new StripeApi(context, this.world, this.subscriptions, this.tokens);
    this.surface = api.surface([...this.oauth.routes(), ...api.routes()]);
  }

  settings(url: string): Record<string, string> {
    const { clientId, clientSecret, webhookSecret } = this.context.secrets;
    return {
      STRIPE_CLIENT_ID: clientId,
      STRIPE_SECRET_KEY: clientSecret,
      STRIPE_WEBHOOK_SECRET: webhookSecret,
      STRIPE_AUTHORIZE_URL: `${url}/oauth/authorize`,
      STRIPE_TOKEN_URL: `${url}/oauth/token`,
      STRIPE_REVOKE_URL: `${url}/oauth/deauthorize`,
      STRIPE_API_BASE_URL: `${url}/`,
    };
  }

  deliver({ type, account: accountId, index, payload, forge }: EventSpec): Delivery[] {
    const { events } = this.world;
    const account = this.world.account(accountId);
    if (type.startsWith('v2.')) return [events.delivery(account, events.thin(account, type), forge)];
    if (type.startsWith('v1.')) {
      const object = { ...sampleObject(account, type.slice('v1.'.length), index), ...payload };
      return [events.delivery(account, events.thin(account, type, object), forge)];
    }
    return [events.delivery(account, events.event(account, type, { ...sampleObject(account, type, index), ...payload }), forge)];
  }

  seed(account: string, resource: string, count: number): void {
    this.world.fill(this.world.account(account), resource, count);
  }

  view(): Json {
    return viewByAccount(this.state.accounts.values(), (account) => account.id, stripeView, this.tokens);
  }

  mint({ account, scopes }: MintSpec & { account: string }): Json {
    return this.oauth.mint(account, scopes?.[0] ?? 'read_write');
  }

  end(account: string): void {
    this.oauth.endConnection(account);
  }
}

/** What was under way when the process ended is not under way any more. */
function forgetUnfinished(state: StripeState): void {
  for (const { idempotency } of state.accounts.values()) {
    for (const [key, result] of idempotency) if (result.running) idempotency.delete(key);
  }
}

export const stripeSandbox: SandboxProvider<StripeState> = {
  name: 'stripe',
  defaultAccount: DEFAULT_ACCOUNT,
  deliveryTimeoutMs: 10_000,
  secrets: () => ({
    clientId: `ca_${secretText(32)}`,
    clientSecret: `sk_test_51${secretText(97)}`,
    webhookSecret: `whsec_${secretText(32)}`,
  }),
  emptyState: emptyStripeState,
  start: (context, state) => new StripeSandbox(context, state),
};
