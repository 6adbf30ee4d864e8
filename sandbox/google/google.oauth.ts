import { text } from '../form-body';
import { OAuthServer, type OAuthRefusal } from '../oauth-server';
import type { SandboxContext } from '../sandbox-context';
import type { Json, Route, SandboxRequest, SandboxResponse } from '../sandbox.types';
import { bearerOf, type CodeRow, type Grant, type TokenStore } from '../token-store';
import { unauthenticated } from './google.errors';
import type { JwtSigner } from './google.jwt';
import type { GoogleWorld } from './google.world';

export const ISSUER = 'https://accounts.google.com';
const TTL_S = 3599;
const DEFAULT_ACCOUNT = 'ada@acme.test';

const REFUSALS: Readonly<Record<OAuthRefusal, [status: number, error: string, description: string]>> = {
  'unknown-client': [401, 'invalid_client', 'The OAuth client was not found.'],
  'wrong-secret': [401, 'invalid_client', 'Unauthorized'],
  'other-grant-type': [400, 'unsupported_grant_type', ''],
  'no-code': [400, 'invalid_grant', 'Malformed auth code.'],
  'unknown-code': [400, 'invalid_grant', 'Malformed auth code.'],
  'used-code': [400, 'invalid_grant', 'Bad Request'],
  'expired-code': [400, 'invalid_grant', 'Bad Request'],
  'other-redirect': [400, 'redirect_uri_mismatch', 'Bad Request'],
  'no-verifier': [400, 'invalid_grant', 'Missing code verifier.'],
  'other-verifier': [400, 'invalid_grant', 'Invalid code verifier.'],
  'unknown-refresh-token': [400, 'invalid_grant', 'Bad Request'],
  'ended-grant': [400, 'invalid_grant', 'Token has been expired or revoked.'],
};

/** https://developers.google.com/identity/protocols/oauth2/web-server */
export class GoogleOAuth {
  private readonly server: OAuthServer;

  constructor(
    private readonly context: SandboxContext,
    private readonly world: GoogleWorld,
    private readonly tokens: TokenStore,
    private readonly signer: JwtSigner,
  ) {
    this.server = new OAuthServer(context, tokens, {
      title: 'Google',
      authorizePath: '/o/oauth2/v2/auth',
      scopeFields: ['scope'],
      scopeSeparator: /\s+/,
      accountField: 'login_hint',
      defaultAccount: DEFAULT_ACCOUNT,
      granular: true,
      needsResponseType: true,
      codePrefix: '4/0A',
      consented: (fields) => this.consented(fields),
      redirectExtra: (fields) => ({ scope: fields.get('scope') ?? '', authuser: '0', prompt: fields.get('prompt') ?? 'none', iss: ISSUER }),
      refuse: (why, grantType) => {
        const [status, error, description] = REFUSALS[why];
        return oauthError(status, error, description || `Invalid grant_type: ${grantType}`);
      },
      exchanged: (row) => {
        const grant = tokens.createGrant({ account: row.account, kind: 'user', user: row.user, scopes: row.scopes });
        return { grants: [grant], body: this.tokenBody(grant, row.offline) };
      },
      // The refresh token stays the same and is not sent again.
      refreshed: (grant) => this.tokenBody(grant, false),
    });
  }

  routes(): Route[] {
    return [
      ...this.server.routes(),
      { method: 'POST', pattern: '/token', endpoint: 'oauth.token', handle: (request) => this.server.token(request) },
      { method: 'POST', pattern: '/revoke', endpoint: 'oauth.revoke', handle: (request) => this.revoke(request) },
      ...['GET', 'POST'].map((method) => ({
        method,
        pattern: '/v1/userinfo',
        endpoint: 'userinfo',
        handle: (request: SandboxRequest) => this.userinfo(request),
      })),
      {
        method: 'GET',
        pattern: '/oauth2/v3/certs',
        endpoint: 'oauth.certs',
        handle: () => ({ status: 200, headers: { 'cache-control': 'public, max-age=300' }, body: this.signer.jwks() }),
      },
    ];
  }

  mint(email: string, scopes: string[]): Json {
    const account = this.world.account(email);
    const grant = this.tokens.createGrant({ account: account.email, kind: 'user', user: account.sub, scopes });
    return this.tokenBody(grant, true);
  }

  private consented(fields: URLSearchParams): Pick<CodeRow, 'account' | 'user' | 'scopes' | 'offline'> {
    const account = this.world.account(fields.get('login_hint') || DEFAULT_ACCOUNT);
    const first = !this.tokens.hasEverGranted(account.email);
    return {
      account: account.email,
      user: account.sub,
      scopes: (fields.get('scope') ?? '').split(/\s+/).filter(Boolean),
      // Without prompt=consent a refresh token comes with the first grant only.
      offline: fields.get('access_type') === 'offline' && (first || (fields.get('prompt') ?? '').split(' ').includes('consent')),
    };
  }

  /** Ends the whole grant of this app on the account, whichever of its tokens is given. */
  private revoke(request: SandboxRequest): SandboxResponse {
    const token = text(request.body['token']) ?? request.query.get('token') ?? '';
    const verdict = this.tokens.check(token);
    const grant = verdict.grant && !verdict.grant.revoked ? verdict.grant : this.tokens.checkRefresh(token).grant;
    if (!grant || grant.revoked) return oauthError(400, 'invalid_token', 'Token expired or revoked');
    this.tokens.revokeGrants((other) => other.account === grant.account);
    return { status: 200, body: {} };
  }

  private userinfo(request: SandboxRequest): SandboxResponse {
    const verdict = this.tokens.check(bearerOf(request.headers) ?? '');
    if (!verdict.ok) {
      const { body, headers } = unauthenticated().response();
      return { status: 401, headers: headers ?? {}, body };
    }
    const account = this.world.account(verdict.grant.account);
    const { scopes } = verdict.grant;
    const has = (...wanted: string[]): boolean => wanted.some((scope) => scopes.includes(scope));
    return {
      status: 200,
      body: {
        sub: account.sub,
        ...(has('profile', 'https://www.googleapis.com/auth/userinfo.profile')
          ? { name: account.name, given_name: account.name, picture: 'https://lh3.googleusercontent.com/a/sandbox' }
          : {}),
        ...(has('email', 'https://www.googleapis.com/auth/userinfo.email') ? { email: account.email, email_verified: true } : {}),
      },
    };
  }

  private tokenBody(grant: Grant, withRefresh: boolean): Json {
    const ttlS = this.context.options.accessTokenTtlS?.['google'] ?? TTL_S;
    const nowS = Math.floor(this.context.now() / 1000);
    const account = this.world.account(grant.account);
    return {
      access_token: this.tokens.issueAccess(grant, 'ya29.a0', ttlS, 160),
      expires_in: ttlS,
      ...(withRefresh ? { refresh_token: this.tokens.issueRefresh(grant, '1//0') } : {}),
      scope: grant.scopes.join(' '),
      token_type: 'Bearer',
      ...(grant.scopes.includes('openid')
        ? {
            id_token: this.signer.sign({
              iss: ISSUER,
              azp: this.context.secrets.clientId,
              aud: this.context.secrets.clientId,
              sub: account.sub,
              email: account.email,
              email_verified: true,
              iat: nowS,
              exp: nowS + 3600,
            }),
          }
        : {}),
    };
  }
}

function oauthError(status: number, error: string, description: string): SandboxResponse {
  return { status, body: { error, error_description: description } };
}
