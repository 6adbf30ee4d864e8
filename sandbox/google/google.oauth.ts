import { type ConsentRules, showConsent, takeConsent } from '../consent';
import { text } from '../form-body';
import type { SandboxContext } from '../sandbox-context';
import type { Json, Route, SandboxRequest, SandboxResponse } from '../sandbox.types';
import { bearerOf, clientCredentials, type Grant, pkceMatches, type TokenStore } from '../token-store';
import { unauthenticated } from './google.errors';
import type { JwtSigner } from './google.jwt';
import type { GoogleWorld } from './google.world';

export const ISSUER = 'https://accounts.google.com';
const TTL_S = 3599;

/** https://developers.google.com/identity/protocols/oauth2/web-server */
export class GoogleOAuth {
  private readonly rules: ConsentRules;

  constructor(
    private readonly context: SandboxContext,
    private readonly world: GoogleWorld,
    private readonly tokens: TokenStore,
    private readonly signer: JwtSigner,
  ) {
    this.rules = {
      title: 'Google',
      clientId: context.secrets.clientId,
      scopeFields: ['scope'],
      scopeSeparator: /\s+/,
      accountField: 'login_hint',
      defaultAccount: 'ada@acme.test',
      granular: true,
      needsResponseType: true,
      ...(context.options.redirectUris ? { redirectUris: context.options.redirectUris } : {}),
      auto: context.autoConsent,
      allow: (fields) => ({
        code: this.allow(fields),
        extra: { scope: fields.get('scope') ?? '', authuser: '0', prompt: fields.get('prompt') ?? 'none', iss: ISSUER },
      }),
    };
  }

  routes(): Route[] {
    return [
      { method: 'GET', pattern: '/o/oauth2/v2/auth', endpoint: 'oauth.authorize', handle: (request) => showConsent(request, this.rules) },
      { method: 'POST', pattern: '/oauth/consent', endpoint: 'oauth.consent', handle: (request) => takeConsent(request, this.rules) },
      { method: 'POST', pattern: '/token', endpoint: 'oauth.token', handle: (request) => this.token(request) },
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

  private allow(fields: URLSearchParams): string {
    const account = this.world.account(fields.get('login_hint') || 'ada@acme.test');
    const first = !this.tokens.hasEverGranted(account.email);
    return this.tokens.issueCode(
      {
        clientId: this.context.secrets.clientId,
        account: account.email,
        user: account.sub,
        scopes: (fields.get('scope') ?? '').split(/\s+/).filter(Boolean),
        userScopes: [],
        redirectUri: fields.get('redirect_uri') ?? '',
        challenge: fields.get('code_challenge'),
        challengeMethod: fields.get('code_challenge_method') ?? 'plain',
        // Without prompt=consent a refresh token comes with the first grant only.
        offline: fields.get('access_type') === 'offline' && (first || (fields.get('prompt') ?? '').split(' ').includes('consent')),
      },
      '4/0A',
    );
  }

  private token(request: SandboxRequest): SandboxResponse {
    const { id, secret } = clientCredentials(request.headers, request.body);
    const grantType = text(request.body['grant_type']);
    request.note({ grantType });
    if (id !== this.context.secrets.clientId) return oauthError(401, 'invalid_client', 'The OAuth client was not found.');
    if (secret !== this.context.secrets.clientSecret) return oauthError(401, 'invalid_client', 'Unauthorized');
    if (grantType === 'authorization_code') return this.exchange(request);
    if (grantType === 'refresh_token') return this.refresh(request);
    return oauthError(400, 'unsupported_grant_type', `Invalid grant_type: ${grantType ?? ''}`);
  }

  private exchange(request: SandboxRequest): SandboxResponse {
    const found = this.tokens.findCode(text(request.body['code']) ?? '');
    if (!found.ok) return oauthError(400, 'invalid_grant', found.reason === 'unknown' ? 'Malformed auth code.' : 'Bad Request');
    const { row } = found;
    if (text(request.body['redirect_uri']) !== row.redirectUri) return oauthError(400, 'redirect_uri_mismatch', 'Bad Request');
    const verifier = text(request.body['code_verifier']);
    if (row.challenge !== null && !verifier) return oauthError(400, 'invalid_grant', 'Missing code verifier.');
    if (!pkceMatches(row, verifier)) return oauthError(400, 'invalid_grant', 'Invalid code verifier.');
    row.used = true;
    const grant = this.tokens.createGrant({ account: row.account, kind: 'user', user: row.user, scopes: row.scopes });
    row.grantIds = [grant.id];
    return { status: 200, body: this.tokenBody(grant, row.offline) };
  }

  /** The refresh token stays the same and is not sent again. */
  private refresh(request: SandboxRequest): SandboxResponse {
    const found = this.tokens.checkRefresh(text(request.body['refresh_token']) ?? '');
    if (!found.ok) return oauthError(400, 'invalid_grant', found.grant ? 'Token has been expired or revoked.' : 'Bad Request');
    return { status: 200, body: this.tokenBody(found.grant, false) };
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
