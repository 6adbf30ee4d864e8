import { text } from '../form-body';
import { OAuthServer, type OAuthRefusal } from '../oauth-server';
import type { SandboxContext } from '../sandbox-context';
import type { Json, Route, SandboxRequest, SandboxResponse } from '../sandbox.types';
import { bearerOf, clientCredentials, type Grant, type TokenStore } from '../token-store';
import type { StripeWorld } from './stripe.world';

const DEFAULT_ACCOUNT = 'acct_1SandboxAcme';
const NOT_THE_PLATFORM = 'No API key provided, or the key is not that of this platform.';
const CODE_USED = 'Authorization code has already been used; all tokens issued with it are revoked';

const REFUSALS: Readonly<Record<OAuthRefusal, [status: number, error: string, description: string]>> = {
  'unknown-client': [401, 'invalid_client', NOT_THE_PLATFORM],
  'wrong-secret': [401, 'invalid_client', NOT_THE_PLATFORM],
  'other-grant-type': [400, 'unsupported_grant_type', 'grant_type must be authorization_code or refresh_token'],
  'no-code': [400, 'invalid_request', 'No authorization code provided'],
  'unknown-code': [400, 'invalid_grant', 'Authorization code does not exist'],
  'used-code': [400, 'invalid_grant', CODE_USED],
  'expired-code': [400, 'invalid_grant', 'Authorization code expired'],
  'other-redirect': [400, 'invalid_grant', 'redirect_uri does not match the one of the authorization request'],
  'no-verifier': [400, 'invalid_grant', 'No code verifier'],
  'other-verifier': [400, 'invalid_grant', 'Invalid code verifier'],
  'unknown-refresh-token': [400, 'invalid_grant', 'Refresh token does not exist or was revoked'],
  'ended-grant': [400, 'invalid_grant', 'Refresh token does not exist or was revoked'],
};

/** Connect OAuth: https://docs.stripe.com/connect/oauth-reference */
export class StripeOAuth {
  private readonly server: OAuthServer;

  constructor(
    private readonly context: SandboxContext,
    private readonly world: StripeWorld,
    private readonly tokens: TokenStore,
  ) {
    this.server = new OAuthServer(context, tokens, {
      title: 'Stripe',
      authorizePath: '/oauth/authorize',
      scopeFields: ['scope'],
      scopeSeparator: /\s+/,
      accountField: 'account',
      defaultAccount: DEFAULT_ACCOUNT,
      granular: false,
      needsResponseType: true,
      codePrefix: 'ac_',
      pkce: false,
      redirectOptional: true,
      reuseEnds: true,
      consented: (fields) => {
        const { id } = world.account(fields.get('account') || DEFAULT_ACCOUNT);
        return { account: id, user: id, scopes: [fields.get('scope') ?? 'read_only'] };
      },
      redirectExtra: (fields) => ({ scope: fields.get('scope') ?? 'read_only' }),
      refusedClient: (request) => (this.knowsSecret(request) ? undefined : 'wrong-secret'),
      refuse: (why) => oauthError(...REFUSALS[why]),
      exchanged: ({ account, user, scopes }) => {
        const grant = tokens.createGrant({ account, kind: 'user', user, scopes });
        return { grants: [grant], body: this.tokenBody(grant) };
      },
      refreshed: (grant, refreshToken) => this.tokenBody(grant, refreshToken),
    });
  }

  routes(): Route[] {
    return [
      ...this.server.routes(),
      { method: 'POST', pattern: '/oauth/token', endpoint: 'oauth.token', handle: (request) => this.server.token(request) },
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

  private deauthorize(request: SandboxRequest): SandboxResponse {
    const account = text(request.body['stripe_user_id']) ?? '';
    request.note({ account });
    if (!this.knowsSecret(request) || request.body['client_id'] !== this.context.secrets.clientId)
      return oauthError(401, 'invalid_client', NOT_THE_PLATFORM);
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
