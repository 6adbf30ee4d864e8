import { Inject, Injectable } from '@nestjs/common';
import { CLOCK, type Clock } from '../../clock';
import { withDeadline } from '../../deadline';
import type { TokenAnswer } from '../connections';
import { ProviderFetch } from '../outbound';
import type { AccountIdentity, Provider } from '../contract';

/** For asking the provider who has connected, and for trying a key, ms. */
const TIMEOUT_MS = 15_000;

/** Asks a provider whose account it is that connects, with what it has just given or the person has typed. */
@Injectable()
export class AccountLookup {
  constructor(
    private readonly providerFetch: ProviderFetch,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * @param provider with the person's own values filled in
   * @returns one, or all that the consent is for
   */
  byGrant(
    provider: Provider,
    { body, grants }: TokenAnswer,
    more: Pick<Parameters<Provider['auth']['identify']>[0], 'values' | 'callback'>,
  ): Promise<AccountIdentity | readonly AccountIdentity[]> {
    const credential = { accessToken: grants[0]?.accessToken };
    return withDeadline(this.clock, TIMEOUT_MS, (signal) =>
      provider.auth.identify({
        fetch: this.providerFetch.fetchWithoutToken(provider, {
          ...credential,
          signal,
          deadlineMs: TIMEOUT_MS,
          operation: 'connect.identify',
        }),
        grants,
        tokenBody: body,
        ...more,
      }),
    );
  }

  /** One real call with the key. */
  byKey(
    provider: Provider,
    verify: NonNullable<Provider['auth']['verifyApiKey']>,
    { apiKey, values }: { readonly apiKey: string; readonly values: Readonly<Record<string, string>> },
  ): ReturnType<typeof verify> {
    return withDeadline(this.clock, TIMEOUT_MS, (signal) =>
      verify({
        apiKey,
        values,
        fetch: this.providerFetch.fetchWithoutToken(provider, {
          apiKey,
          signal,
          deadlineMs: TIMEOUT_MS,
          operation: 'connect.verify-key',
        }),
      }),
    );
  }
}
