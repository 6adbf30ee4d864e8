import { type ConsentRules, showConsent, takeConsent } from '../consent';
import { text } from '../form-body';
import type { SandboxContext } from '../sandbox-context';
import type { Json, Route, SandboxRequest, SandboxResponse } from '../sandbox.types';
import { bearerOf, clientCredentials, type Grant, type TokenStore } from '../token-store';
import type { StripeWorld } from './stripe.world';

/** Connect OAuth: https://docs.stripe.com/connect/oauth-reference */
export class StripeOAuth {
  private readonly rules: ConsentRules;

  constructor(
    private readonly context: SandboxContext,
    private readonly world: StripeWorld,
    private readonly tokens: TokenStore,
  ) {
    this.rules = {
      title: 'Stripe',
      clientId: context.secrets.clientId,
      scopeFields: ['scope'],
      scopeSeparator: /\s+/,
      accountField: 'account',
      defaultAccount: 'acct_1SandboxAcme',
      granular: false,
      needsResponseType: true,
      ...(context.options.redirectUris ? { redirectUris: context.options.redirectUris } : {}),
      auto: context.autoConsent,
      allow: (fields) => ({ code: this.allow(fields), extra: { scope: fields.get('scope') ?? 'read_only' } }),
    };
  }

  routes(): Route[] {
    return [
      { method: 'GET', pattern: '/oauth/authorize', endpoint: 'oauth.authorize', handle: (request) => showConsent(request, this.rules) },
      { method: 'POST', pattern: '/oauth/consent', endpoint: 'oauth.consent', handle: (request) => takeConsent(request, this.rules) },
      { method: 'POST', pattern: '/oauth/token', endpoint: 'oauth.token', handle: (request) => this.token(request) },
      { method: 'POST', pattern: '/oauth/deauthorize', endpoint: 'oauth.deauthorize', handle: (request) => this.deauthorize(request) },
    ];
  }

  /** All tokens of the account for this platform die; Stripe tells the platform. */
  endConnection(accountId: string): number {
    const ended = this.tokens.revokeGrants((grant) => grant.account === accountId && grant.kind === 'user');
    if (ended.length > 0) this.world.events.deauthorized(this.world.account(accountId));
    return ended.length;
  }

  mint(accountId: string, scope: string): Json {
    const account = this.world.account(accountId);
    return this.tokenBody(this.tokens.createGrant({ account: account.id, kind: 'user', user: account.id, scopes: [scope] }));
  }

  /** A restricted key, as a person would make one in the dashboard. */
  createKey(accountId: string, scopes: string[]): string {
    const account = this.world.account(accountId);
    const grant = this.tokens.createGrant({ account: account.id, kind: 'key', user: account.id, scopes });
    return this.tokens.issueAccess(grant, 'rk_test_', null, 99);
  }

  private allow(fields: URLSearchParams): string {
    const account = this.world.account(fields.get('account') || 'acct_1SandboxAcme');
    return this.tokens.issueCode(
      {
        clientId: this.context.secrets.clientId,
        account: account.id,
        user: account.id,
        scopes: [fields.get('scope') ?? 'read_only'],
        userScopes: [],
        redirectUri: fields.get('redirect_uri') ?? '',
        // Connect offers no PKCE: a challenge is ignored, as there.
        challenge: null,
        challengeMethod: 'plain',
        offline: true,
      },
      'ac_',
    );
  }

  private token(request: SandboxRequest): SandboxResponse {
    const grantType = text(request.body['grant_type']);
    request.note({ grantType });
    if (!this.knowsSecret(request))
      return oauthError(401, 'invalid_client', 'No API key provided, or the key is not that of this platform.');
    if (grantType === 'authorization_code') return this.exchange(request);
    if (grantType === 'refresh_token') return this.refresh(request);
    return oauthError(400, 'unsupported_grant_type', 'grant_type must be authorization_code or refresh_token');
  }

  private exchange(request: SandboxRequest): SandboxResponse {
    const code = text(request.body['code']);
    if (!code) return oauthError(400, 'invalid_request', 'No authorization code provided');
    const found = this.tokens.findCode(code);
    if (!found.ok) {
      // A second use ends what the first one gave.
      if (found.reason === 'used') this.tokens.revokeGrants((grant) => found.row?.grantIds.includes(grant.id) ?? false);
      const what = { unknown: 'does not exist', used: 'has already been used; all tokens issued with it are revoked', expired: 'expired' }[
        found.reason
      ];
      return oauthError(400, 'invalid_grant', `Authorization code ${what}`);
    }
    const redirectUri = text(request.body['redirect_uri']);
    if (redirectUri !== undefined && redirectUri !== found.row.redirectUri)
      return oauthError(400, 'invalid_grant', 'redirect_uri does not match the one of the authorization request');
    found.row.used = true;
    const grant = this.tokens.createGrant({ account: found.row.account, kind: 'user', user: found.row.user, scopes: found.row.scopes });
    found.row.grantIds = [grant.id];
    return { status: 200, body: this.tokenBody(grant) };
  }

  private refresh(request: SandboxRequest): SandboxResponse {
    const found = this.tokens.checkRefresh(text(request.body['refresh_token']) ?? '');
    return found.ok
      ? { status: 200, body: this.tokenBody(found.grant, text(request.body['refresh_token'])) }
      : oauthError(400, 'invalid_grant', 'Refresh token does not exist or was revoked');
  }

  private deauthorize(request: SandboxRequest): SandboxResponse {
    const account = text(request.body['stripe_user_id']) ?? '';
    request.note({ account });
    if (!this.knowsSecret(request) || request.body['client_id'] !== this.context.secrets.clientId)
      return oauthError(401, 'invalid_client', 'No API key provided, or the key is not that of this platform.');
    if (!this.world.state.accounts.has(account) || this.endConnection(account) === 0) {
      return oauthError(
        401,
        'invalid_client',
        `This application is not connected to stripe account ${account}, or that account does not exist.`,
      );
    }
    return { status: 200, body: { stripe_user_id: account } };
  }

  private tokenBody(grant: Grant, refreshToken?: string): Json {
    return {
      access_token: this.tokens.issueAccess(grant, 'sk_test_51', null, 97),
      livemode: false,
      refresh_token: refreshToken ?? this.tokens.issueRefresh(grant, 'rt_'),
      token_type: 'bearer',
      stripe_publishable_key: `pk_test_51${grant.id.slice(6)}`,
      stripe_user_id: grant.account,
      scope: grant.scopes[0] ?? 'read_only',
    };
  }

  /** The platform's key comes as Bearer, as Basic user name, or as `client_secret`. */
  private knowsSecret(request: SandboxRequest): boolean {
    const basic = clientCredentials(request.headers, {});
    const given = bearerOf(request.headers) ?? text(request.body['client_secret']);
    const key = this.context.secrets.clientSecret;
    return given === key || basic.id === key || basic.secret === key;
  }
}

function oauthError(status: number, error: string, description: string): SandboxResponse {
  return { status, body: { error, error_description: description } };
}
