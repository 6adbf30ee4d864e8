import { Injectable } from '@nestjs/common';
import type { ConnectionRef, Fetch, Provider } from '../contract';
import { providerFor } from '../providers';
import type { CallOptions } from './call';
import { GovernedChain } from './governed-chain';
import { GivenCredentialInterceptor } from './policies/given-credential.interceptor';

export interface ProviderFetchOptions extends Pick<CallOptions, 'deadlineMs' | 'signal' | 'operation' | 'passThrough'> {
  /** Credential to set, by `provider.http.authorize` or as a Bearer token. Without one (and without `apiKey`) none is set. */
  readonly accessToken?: string;
  /** Like `accessToken`, for a key that is being verified. */
  readonly apiKey?: string;
  readonly connection?: ConnectionRef;
}

/** What connecting, renewing and revoking go through: the whole chain but for the stored token. */
@Injectable()
export class ProviderFetch {
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
