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

  /**
   * Like `GovernedHttp.fetchFor`.
   * @param provider with the app's credentials (`Provider.app`)
   * @param tenant the organization whose own app it is; absent: it is the operator's
   * @throws IntegrationError `provider_not_configured` from its calls, where there are no credentials of the app
   */
  fetchFor(provider: Provider, options: CallOptions = {}, tenant?: string): Fetch {
    const { app } = provider;
    const caller = app && { app: { clientId: app.clientId, ...(tenant !== undefined && { tenant }) } };
    return this.chain.fetchFor({ provider, ...caller, purpose: 'api', auth: this.auth, options });
  }
}
