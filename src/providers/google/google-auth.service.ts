import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings, type ProviderSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import type { AccountIdentity, ConnectionRef, Fetch, PartitionList, ProviderAuth, TokenGrant } from '../../integrations';
import { GOOGLE, googleOAuth2, isUseful } from './google.facts';
import { googleSettings } from './google.settings';

const token = z.string().min(1).max(8192);

const tokenBody = z.object({
  access_token: token,
  refresh_token: token.optional(),
  expires_in: z.number().positive().optional(),
  scope: z.string().max(8192).optional(),
});

/** https://openid.net/specs/openid-connect-core-1_0.html#UserInfo */
const userinfo = z.object({ sub: z.string().min(1).max(255), email: z.string().max(320).optional() });

/** Google's OAuth: one token an hour, a refresh token that stays the same. */
@Injectable()
export class GoogleAuthService implements ProviderAuth {
  private readonly own: ProviderSettings;

  constructor(@Inject(SETTINGS) settings: Settings) {
    this.own = providerSettings(settings, googleSettings);
  }

  parseTokenResponse(body: unknown, { step }: { step: 'exchange' | 'refresh' }): readonly TokenGrant[] {
    const refusal = z.object({ error: z.string() }).safeParse(body);
    if (refusal.success)
      throw new IntegrationError('connect_failed', { provider: GOOGLE, providerCode: refusal.data.error.slice(0, 64), notExecuted: true });
    const parsed = tokenBody.safeParse(body);
    if (!parsed.success)
      throw new IntegrationError('provider_bad_answer', {
        provider: GOOGLE,
        detail: 'Google answered the sign-in with something that could not be read.',
      });
    const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresInS, scope } = parsed.data;
    const scopes = (scope ?? '').split(' ').filter(Boolean);
    if (step === 'exchange') {
      if (!refreshToken) {
        throw new IntegrationError('connect_failed', {
          provider: GOOGLE,
          retryable: false,
          detail: 'Google gave access for an hour only, because it was given before.',
          nextStep: 'Remove this application at myaccount.google.com/connections, then connect again.',
        });
      }
      // Every box can be unticked on the consent page: https://developers.google.com/identity/protocols/oauth2/resources/granular-permissions
      if (!scopes.some(isUseful)) {
        throw new IntegrationError('connect_denied', {
          provider: GOOGLE,
          detail: 'Neither the calendar nor the mail was allowed.',
          nextStep: 'Connect again and leave at least one permission ticked.',
        });
      }
    }
    return [{ kind: 'default', accessToken, refreshToken, expiresInS, scopes }];
  }

  async identify({ fetch, grants }: { fetch: Fetch; grants: readonly TokenGrant[]; tokenBody: unknown }): Promise<AccountIdentity> {
    const answer = await fetch(googleOAuth2(this.own).userinfoUrl ?? '', { headers: { accept: 'application/json' } });
    const parsed = userinfo.safeParse(await answer.json());
    if (!parsed.success)
      throw new IntegrationError('provider_bad_answer', { provider: GOOGLE, detail: 'Google did not say which account this is.' });
    const { sub, email } = parsed.data;
    const scopes = grants.flatMap((grant) => grant.scopes);
    return {
      accountId: sub,
      accountName: email ?? sub,
      // A push of Gmail names the address; a channel of Calendar is found by its id.
      routingKey: (email ?? sub).toLowerCase(),
      metadata: { email: email ?? null, scopes },
    };
  }

  /** Ends the whole grant, whichever of its tokens is given; the refresh token lives longest. */
  async revoke({ fetch, tokens }: Parameters<NonNullable<ProviderAuth['revoke']>>[0]): Promise<boolean> {
    const last = tokens.find((each) => each.refreshToken)?.refreshToken ?? tokens[0]?.accessToken;
    const { revokeUrl } = googleOAuth2(this.own);
    if (!last || !revokeUrl) return false;
    try {
      await (await fetch(revokeUrl, { method: 'POST', body: new URLSearchParams({ token: last }) })).text();
      return true;
    } catch (error) {
      // "Token expired or revoked": nothing left to end.
      if (error instanceof IntegrationError && error.providerCode === 'invalid_token') return true;
      throw error;
    }
  }
}

/** Whether the person left one of these permissions ticked. */
export function hasScope(connection: ConnectionRef, wanted: readonly string[]): boolean {
  const scopes = connection.metadata['scopes'];
  return !Array.isArray(scopes) || wanted.some((scope) => scopes.includes(scope));
}

/** The one partition of a resource that needs a scope. Without the scope nothing is known, and what is stored stays. */
export function allowed(connection: ConnectionRef, wanted: readonly string[]): PartitionList {
  return hasScope(connection, wanted)
    ? { names: [''], complete: true }
    : { names: [], complete: false, why: 'The permission was not given.' };
}
