import { parseFlatForm, text } from '../form-body';
import type { SandboxContext } from '../sandbox-context';
import type { Principal, ProviderSurface, SandboxRequest } from '../sandbox.types';
import { bearerOf, TokenStore } from '../token-store';
import { GoogleCalendarApi } from './google.calendar';
import { GoogleFault, googleErrorBody, insufficientScope, rateLimited, unauthenticated } from './google.errors';
import { GoogleGmailApi } from './google.gmail';
import { JwtSigner } from './google.jwt';
import { GoogleOAuth } from './google.oauth';
import { GooglePush } from './google.push';
import type { GoogleAccount, GoogleState } from './google.state';
import { GoogleWorld } from './google.world';

/** The pretend Google: its data, its tokens, its HTTP surface. */
export class GoogleSandbox {
  readonly tokens: TokenStore;
  readonly world: GoogleWorld;
  readonly oauth: GoogleOAuth;
  readonly push: GooglePush;
  readonly surface: ProviderSurface;

  constructor(
    context: SandboxContext,
    readonly state: GoogleState,
  ) {
    const signer = new JwtSigner('google');
    this.tokens = new TokenStore(state.tokens, context.now, context.changed);
    this.push = new GooglePush(context, signer);
    this.world = new GoogleWorld(context, state, this.push);
    this.oauth = new GoogleOAuth(context, this.world, this.tokens, signer);
    const authorized = (request: SandboxRequest, scopes: string[]): GoogleAccount => this.authorize(request, scopes);
    const calendar = new GoogleCalendarApi(this.world, authorized);
    const gmail = new GoogleGmailApi(this.world, authorized);
    this.surface = {
      name: 'google',
      routes: [...this.oauth.routes(), ...calendar.routes(), ...gmail.routes()],
      parseForm: parseFlatForm,
      identify: (request) => this.identify(request),
      errorBody: (status) => googleErrorBody(status),
      rateLimited: (_, status) => rateLimited(status),
      refuseRefresh: () => ({ status: 400, body: { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' } }),
      notFound: () => new GoogleFault(404, 'notFound', 'Not Found').response(),
    };
  }

  private authorize(request: SandboxRequest, scopes: string[]): GoogleAccount {
    const verdict = this.tokens.check(bearerOf(request.headers) ?? '');
    if (!verdict.ok) throw unauthenticated();
    if (!scopes.some((scope) => verdict.grant.scopes.includes(scope))) throw insufficientScope();
    return this.world.account(verdict.grant.account);
  }

  private identify(request: SandboxRequest): Principal {
    const code = text(request.body['code']);
    if (code) {
      const found = this.tokens.findCode(code);
      return found.row ? { account: found.row.account } : {};
    }
    const refresh = text(request.body['refresh_token']);
    const token = refresh ?? bearerOf(request.headers) ?? text(request.body['token']) ?? request.query.get('token') ?? undefined;
    if (!token) return {};
    const grant = this.tokens.check(token).grant ?? this.tokens.checkRefresh(token).grant;
    return { token, ...(grant ? { account: grant.account } : {}) };
  }
}
