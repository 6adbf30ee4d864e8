import { showConsent, takeConsent, type ConsentRules } from './consent';
import { text } from './form-body';
import type { SandboxContext } from './sandbox-context';
import type { Json, Route, SandboxRequest, SandboxResponse } from './sandbox.types';
import { clientCredentials, pkceMatches, type CodeRow, type Grant, type TokenStore } from './token-store';

/** Why a token is not given. How that is said is the provider's own. */
export type OAuthRefusal =
  | 'unknown-client'
  | 'wrong-secret'
  | 'other-grant-type'
  | 'no-code'
  | 'unknown-code'
  | 'used-code'
  | 'expired-code'
  | 'other-redirect'
  | 'no-verifier'
  | 'other-verifier'
  | 'unknown-refresh-token'
  | 'ended-grant';

type ConsentFacts = Omit<ConsentRules, 'clientId' | 'redirectUris' | 'auto' | 'allow'>;

/** What is the provider's own in the authorization code flow (RFC 6749, 4.1 and 6; RFC 7636). */
export interface OAuthFacts extends ConsentFacts {
  readonly authorizePath: string;
  readonly codePrefix: string;
  /** Default true. Where it is false a challenge is ignored. */
  readonly pkce?: boolean;
  /** Whether the exchange may leave the redirect address out. Default false. */
  readonly redirectOptional?: boolean;
  /** Of a token call without one. */
  readonly defaultGrantType?: string;
  /** A code that is used again ends what it gave. Default false. */
  readonly reuseEnds?: boolean;
  /** Who has consented to what. */
  readonly consented: (fields: URLSearchParams) => Pick<CodeRow, 'account' | 'user' | 'scopes'> & Partial<CodeRow>;
  /** Further fields of the redirect. */
  readonly redirectExtra?: (fields: URLSearchParams) => Record<string, string>;
  /** The client, where it is not shown by id and secret. */
  readonly refusedClient?: (request: SandboxRequest) => OAuthRefusal | undefined;
  readonly refuse: (why: OAuthRefusal, grantType: string) => SandboxResponse;
  /** Makes the grants of a code, and what is answered. */
  readonly exchanged: (row: CodeRow) => { grants: Grant[]; body: Json };
  /** What is answered to a good refresh token; `spend` ends it. */
  readonly refreshed: (grant: Grant, refreshToken: string, spend: () => void) => Json;
}

/** The authorization code flow, the same for every provider: consent, code, exchange, refresh. */
export class OAuthServer {
  private readonly consent: ConsentRules;

  constructor(
    private readonly context: SandboxContext,
    private readonly tokens: TokenStore,
    private readonly facts: OAuthFacts,
  ) {
    const { redirectUris } = context.options;
    this.consent = {
      ...facts,
      clientId: context.secrets.clientId,
      ...(redirectUris ? { redirectUris } : {}),
      auto: context.autoConsent,
      allow: (fields) => ({ code: this.code(fields), ...(facts.redirectExtra ? { extra: facts.redirectExtra(fields) } : {}) }),
    };
  }

  /** The pages of consent. */
  routes(): Route[] {
    const { authorizePath: pattern } = this.facts;
    return [
      { method: 'GET', pattern, endpoint: 'oauth.authorize', handle: (request) => showConsent(request, this.consent) },
      { method: 'POST', pattern: '/oauth/consent', endpoint: 'oauth.consent', handle: (request) => takeConsent(request, this.consent) },
    ];
  }

  /** The token endpoint. */
  token(request: SandboxRequest): SandboxResponse {
    const grantType = text(request.body['grant_type']) ?? this.facts.defaultGrantType;
    request.note({ grantType });
    const refuse = (why: OAuthRefusal) => this.facts.refuse(why, grantType ?? '');
    const refused = (this.facts.refusedClient ?? this.refusedClient)(request);
    if (refused) return refuse(refused);
    if (grantType === 'authorization_code') return this.exchange(request, refuse);
    if (grantType === 'refresh_token') return this.refresh(request, refuse);
    return refuse('other-grant-type');
  }

  /** By id and secret, in the body or as HTTP Basic. */
  readonly refusedClient = ({ headers, body }: Pick<SandboxRequest, 'headers' | 'body'>): OAuthRefusal | undefined => {
    const { id, secret } = clientCredentials(headers, body);
    if (id !== this.context.secrets.clientId) return 'unknown-client';
    return secret === this.context.secrets.clientSecret ? undefined : 'wrong-secret';
  };

  private code(fields: URLSearchParams): string {
    const { pkce = true, codePrefix, consented } = this.facts;
    return this.tokens.issueCode(
      {
        clientId: this.context.secrets.clientId,
        userScopes: [],
        redirectUri: fields.get('redirect_uri') ?? '',
        challenge: pkce ? fields.get('code_challenge') : null,
        challengeMethod: fields.get('code_challenge_method') ?? 'plain',
        offline: true,
        ...consented(fields),
      },
      codePrefix,
    );
  }

  private exchange(request: SandboxRequest, refuse: (why: OAuthRefusal) => SandboxResponse): SandboxResponse {
    const code = text(request.body['code']);
    if (!code) return refuse('no-code');
    const found = this.tokens.findCode(code);
    if (!found.ok) {
      if (this.facts.reuseEnds && found.reason === 'used') this.tokens.revokeGrants(({ id }) => found.row?.grantIds.includes(id) ?? false);
      return refuse(`${found.reason}-code`);
    }
    const { row } = found;
    const redirectUri = text(request.body['redirect_uri']);
    const left = redirectUri === undefined && this.facts.redirectOptional;
    if (!left && (redirectUri ?? '') !== row.redirectUri) return refuse('other-redirect');
    const verifier = text(request.body['code_verifier']);
    if (row.challenge !== null && !verifier) return refuse('no-verifier');
    if (!pkceMatches(row, verifier)) return refuse('other-verifier');
    row.used = true;
    request.note({ account: row.account });
    const { grants, body } = this.facts.exchanged(row);
    row.grantIds = grants.map(({ id }) => id);
    return { status: 200, body };
  }

  private refresh(request: SandboxRequest, refuse: (why: OAuthRefusal) => SandboxResponse): SandboxResponse {
    const refreshToken = text(request.body['refresh_token']) ?? '';
    const found = this.tokens.checkRefresh(refreshToken);
    if (!found.ok) return refuse(found.grant ? 'ended-grant' : 'unknown-refresh-token');
    return { status: 200, body: this.facts.refreshed(found.grant, refreshToken, found.spend) };
  }
}
