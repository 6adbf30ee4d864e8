import { parseFlatForm, text } from '../form-body';
import { digits, secretText } from '../random';
import type { SandboxContext } from '../sandbox-context';
import { viewByAccount, type EventSpec, type MintSpec, type RunningProvider, type SandboxProvider } from '../sandbox-provider';
import type { Json, Principal, ProviderSurface, SandboxRequest } from '../sandbox.types';
import { bearerOf, TokenStore } from '../token-store';
import type { Delivery } from '../webhook-sender';
import { GoogleCalendarApi } from './google.calendar';
import { changeCalendar, changeEvent, changeMail, DEFAULT_EMAIL } from './google.changes';
import { GoogleFault, googleErrorBody, insufficientScope, rateLimited, unauthenticated } from './google.errors';
import { GoogleGmailApi } from './google.gmail';
import { JwtSigner } from './google.jwt';
import { GoogleOAuth, ISSUER } from './google.oauth';
import { GooglePush, PUBSUB_AUDIENCE, PUBSUB_EMAIL } from './google.push';
import { emptyGoogleState, type GoogleAccount, type GoogleState } from './google.state';
import { googleView } from './google.view';
import { GoogleWorld } from './google.world';

const AUTH = 'https://www.googleapis.com/auth/';
const DEFAULT_SCOPES = ['openid', 'email', 'profile', `${AUTH}calendar`, `${AUTH}gmail.send`, `${AUTH}gmail.modify`];

/** The pretend Google: its data, its tokens, its HTTP surface. */
export class GoogleSandbox implements RunningProvider {
  readonly tokens: TokenStore;
  readonly world: GoogleWorld;
  readonly oauth: GoogleOAuth;
  readonly push: GooglePush;
  readonly surface: ProviderSurface;
  readonly events = ['calendar.exists', 'calendar.not_exists', 'calendar.sync', 'gmail.push'];
  readonly changes: RunningProvider['changes'] = {
    calendars: (change) => changeCalendar(this.world, change),
    events: (change) => changeEvent(this.world, change),
    messages: (change) => changeMail(this.world, change),
  };

  constructor(
    private readonly context: SandboxContext,
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

  settings(url: string): Record<string, string> {
    const { clientId, clientSecret } = this.context.secrets;
    return {
      GOOGLE_CLIENT_ID: clientId,
      GOOGLE_CLIENT_SECRET: clientSecret,
      GOOGLE_PUBSUB_AUDIENCE: PUBSUB_AUDIENCE,
      GOOGLE_PUBSUB_EMAIL: PUBSUB_EMAIL,
      GOOGLE_PUBSUB_JWKS_URL: `${url}/oauth2/v3/certs`,
      GOOGLE_PUBSUB_ISSUER: ISSUER,
      GOOGLE_AUTHORIZE_URL: `${url}/o/oauth2/v2/auth`,
      GOOGLE_TOKEN_URL: `${url}/token`,
      GOOGLE_REVOKE_URL: `${url}/revoke`,
      GOOGLE_USERINFO_URL: `${url}/v1/userinfo`,
      GOOGLE_API_BASE_URL: `${url}/`,
    };
  }

  deliver({ type, account: email, forge }: EventSpec): Delivery[] {
    const account = this.world.account(email);
    if (type.startsWith('gmail')) return [this.push.mailDelivery(account, forge)];
    const state = type.endsWith('sync') ? 'sync' : type.endsWith('not_exists') ? 'not_exists' : 'exists';
    const channels = [...account.channels.values()].filter((channel) => channel.expiration > this.context.now());
    if (channels.length === 0) throw new Error(`${email} has no notification channel; the app has to call events.watch first`);
    return channels.map((channel) => this.push.notification(account, channel, state, forge));
  }

  seed(account: string, resource: string, count: number): void {
    this.world.fill(this.world.account(account), resource, count);
  }

  view(): Json {
    return viewByAccount(this.state.accounts.values(), (account) => account.email, googleView, this.tokens);
  }

  mint({ account, scopes = DEFAULT_SCOPES }: MintSpec & { account: string }): Json {
    return this.oauth.mint(account, scopes);
  }

  /** Sync tokens are answered 410 and history ids 404. */
  expireCursors(account?: string): number {
    return this.world.expireCursors(account);
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

export const googleSandbox: SandboxProvider<GoogleState> = {
  name: 'google',
  defaultAccount: DEFAULT_EMAIL,
  deliveryTimeoutMs: 10_000,
  secrets: () => ({
    clientId: `${digits(12)}-${secretText(32).toLowerCase()}.apps.googleusercontent.com`,
    clientSecret: `GOCSPX-${secretText(28)}`,
    // Calendar has a token of each channel, Pub/Sub a signed one.
    webhookSecret: '',
  }),
  emptyState: emptyGoogleState,
  start: (context, state) => new GoogleSandbox(context, state),
};
