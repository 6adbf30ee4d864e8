import { Injectable } from '@nestjs/common';
import type { ProviderFetch, ProviderFetchOptions } from '../connections';
import type { Fetch, Provider } from '../contract';
import { providerFor } from '../providers';
import { GivenCredentialInterceptor } from './policies/auth.interceptor';
import { GovernedChain } from './governed-chain';

/** Token calls, and the checking of keys: through the whole chain but for the stored token. */
@Injectable()
export class ProviderFetchService implements ProviderFetch {
  constructor(private readonly chain: GovernedChain) {}

  fetchWithoutToken(provider: Provider, options: ProviderFetchOptions = {}): Fetch {
    const { accessToken, apiKey, connection, ...rest } = options;
    return this.chain.fetchFor({
      provider: connection ? providerFor(provider, connection.metadata) : provider,
      ...(connection && { connection }),
      purpose: 'token',
      auth: new GivenCredentialInterceptor(accessToken ?? apiKey, apiKey === undefined ? 'oauth2' : 'api_key'),
      options: rest,
    });
  }
}
