import type { ConnectionRef, Fetch, Provider } from '../../contract';

/** Injection token of `ProviderFetch`. */
export const PROVIDER_FETCH = Symbol('ProviderFetch');

export interface ProviderFetchOptions {
  /** Credential to set, by `provider.http.authorize` or as a Bearer token. Without one (and without `apiKey`) none is set. */
  readonly accessToken?: string;
  /** Like `accessToken`, for a key that is being verified. */
  readonly apiKey?: string;
  readonly connection?: ConnectionRef;
  /** Total time for a call with all its tries, ms. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** Name in logs, e.g. `oauth.refresh`. */
  readonly operation?: string;
  /** Failing answers are handed through instead of thrown: a token endpoint's codes are read here. */
  readonly passThrough?: boolean;
}

/** The governed way out without the auth interceptor: what connecting, refreshing and revoking go through. */
export interface ProviderFetch {
  fetchWithoutToken(provider: Provider, options?: ProviderFetchOptions): Fetch;
}
