import { Injectable } from '@nestjs/common';
import type { Fetch, Provider } from '../contract';
import { GovernedChain, type CallOptions } from '../outbound';
import { AppAuthInterceptor } from './tokens/app-auth.interceptor';
import { AppTokens } from './tokens/app-tokens';

/** The way out to a provider as the app itself: the same chain, by nobody's grant. */
@Injectable()
export class AppHttp {
  private readonly auth: AppAuthInterceptor;

  constructor(
    private readonly chain: GovernedChain,
    tokens: AppTokens,
  ) {
    this.auth = new AppAuthInterceptor(tokens);
  }

  /** Like `GovernedHttp.fetchFor`. @throws IntegrationError `provider_not_configured` from its calls, where this server has no credentials of the app */
  fetchFor(provider: Provider, options: CallOptions = {}): Fetch {
    return this.chain.fetchFor({ provider, purpose: 'api', auth: this.auth, options });
  }
}
