import type { SandboxContext } from '../sandbox-context';
import type { ProviderSurface } from '../sandbox.types';
import { TokenStore } from '../token-store';
import { StripeApi } from './stripe.api';
import { StripeOAuth } from './stripe.oauth';
import type { StripeState } from './stripe.state';
import { StripeSubscriptions } from './stripe.subscriptions';
import { StripeWorld } from './stripe.world';

/** The pretend Stripe: its data, its tokens, its HTTP surface. */
export class StripeSandbox {
  readonly tokens: TokenStore;
  readonly world: StripeWorld;
  readonly subscriptions: StripeSubscriptions;
  readonly oauth: StripeOAuth;
  readonly surface: ProviderSurface;

  constructor(
    context: SandboxContext,
    readonly state: StripeState,
  ) {
    this.tokens = new TokenStore(state.tokens, context.now, context.changed);
    // Connected accounts report to the platform's endpoint, and the platform's own account does.
    this.world = new StripeWorld(context, state, (id) => id === state.platformId || this.tokens.activeGrants(id).length > 0);
    this.subscriptions = new StripeSubscriptions(this.world);
    this.oauth = new StripeOAuth(context, this.world, this.tokens);
    const api = new StripeApi(context, this.world, this.subscriptions, this.tokens);
    this.surface = api.surface([...this.oauth.routes(), ...api.routes()]);
  }
}
