import { OAuthServer, type OAuthRefusal } from '../oauth-server';
import type { SandboxContext } from '../sandbox-context';
import type { Json, Route, SandboxRequest, SandboxResponse } from '../sandbox.types';
import type { Grant, TokenStore } from '../token-store';
import type { SlackWorld } from './slack.world';

/** Slack fixes this at 12 hours: https://docs.slack.dev/authentication/using-token-rotation */
const ROTATION_TTL_S = 43_200;
const MAX_ACTIVE_TOKENS = 2;
const DEFAULT_TEAM = 'T_ACME';

const REFUSALS: Readonly<Record<OAuthRefusal, string>> = {
  'unknown-client': 'invalid_client_id',
  'wrong-secret': 'bad_client_secret',
  'other-grant-type': 'invalid_grant_type',
  'no-code': 'invalid_code',
  'unknown-code': 'invalid_code',
  'used-code': 'code_already_used',
  'expired-code': 'invalid_code',
  'other-redirect': 'bad_redirect_uri',
  'no-verifier': 'invalid_code_verifier',
  'other-verifier': 'invalid_code_verifier',
  'unknown-refresh-token': 'invalid_refresh_token',
  'ended-grant': 'invalid_refresh_token',
};

/** Install and token rotation. Failures are HTTP 200 with `ok: false`, as at Slack. */
export class SlackOAuth {
  private readonly server: OAuthServer;

  constructor(
    private readonly context: SandboxContext,
    private readonly world: SlackWorld,
    private readonly tokens: TokenStore,
  ) {
    this.server = new OAuthServer(context, tokens, {
      title: 'Slack',
      authorizePath: '/oauth/v2/authorize',
      scopeFields: ['scope', 'user_scope'],
      scopeSeparator: /[, ]+/,
      accountField: 'team',
      defaultAccount: DEFAULT_TEAM,
      granular: false,
      needsResponseType: false,
      codePrefix: '',
      defaultGrantType: 'authorization_code',
      consented: (fields) => {
        const team = world.team(fields.get('team') || DEFAULT_TEAM);
        const user = fields.get('user') ?? world.personOf(team);
        return { account: team.id, user, scopes: split(fields.get('scope')), userScopes: split(fields.get('user_scope')) };
      },
      refuse: (why) => refuse(REFUSALS[why]),
      exchanged: ({ account, user, scopes, userScopes }) => this.install(account, user, scopes, userScopes, true),
      refreshed: (grant, _, spend) => {
        spend();
        return this.refreshed(grant);
      },
    });
  }

  routes(): Route[] {
    return this.server.routes();
  }

  /** `oauth.v2.access` */
  access(request: SandboxRequest): SandboxResponse {
    return this.server.token(request);
  }

  /** `auth.revoke` ends one token; with rotation the installation stays, without it the authorization goes with it. */
  revoke(request: SandboxRequest, token: string, grant: Grant): SandboxResponse {
    const test = request.body['test'] === '1' || request.body['test'] === 'true';
    if (!test && this.context.options.slackRotation === false) this.endInstallation(grant.account);
    else if (!test) this.tokens.revokeAccess(token);
    return { status: 200, body: { ok: true, revoked: !test } };
  }

  /** `apps.uninstall` ends the whole installation of the team. */
  uninstall(request: SandboxRequest, grant: Grant): SandboxResponse {
    const refused = this.server.refusedClient({ headers: {}, body: { ...Object.fromEntries(request.query), ...request.body } });
    if (refused) return refuse(REFUSALS[refused]);
    this.endInstallation(grant.account);
    return { status: 200, body: { ok: true } };
  }

  /** All tokens of the team die, and Slack tells the app in two events whose order is not promised. */
  endInstallation(teamId: string): number {
    const ended = this.tokens.revokeGrants((grant) => grant.account === teamId);
    if (ended.length === 0) return 0;
    const users = (kind: string): string[] => [...new Set(ended.filter((grant) => grant.kind === kind).map((grant) => grant.user))];
    this.world.events.emit(teamId, { type: 'tokens_revoked', tokens: { oauth: users('user'), bot: users('bot') } });
    this.world.events.emit(teamId, { type: 'app_uninstalled' });
    return ended.length;
  }

  /** Tokens without a consent page, for tests. */
  mint(teamId: string, scopes: string[], userScopes: string[]): Json {
    const team = this.world.team(teamId);
    return this.install(team.id, this.world.personOf(team), scopes, userScopes).body;
  }

  private install(teamId: string, user: string, scopes: string[], userScopes: string[], again = false): { body: Json; grants: Grant[] } {
    const team = this.world.team(teamId);
    const grants: Grant[] = [];
    const authedUser: Json = { id: user };
    const body: Json = {
      ok: true,
      app_id: this.world.state.appId,
      authed_user: authedUser,
      team: { id: team.id, name: team.name },
      enterprise: null,
      is_enterprise_install: false,
    };
    if (scopes.length > 0) {
      const grant = this.grantOf({ account: teamId, kind: 'bot', user: team.botUserId, scopes }, again);
      grants.push(grant);
      Object.assign(body, { ...this.newPair(grant), bot_user_id: team.botUserId });
    }
    if (userScopes.length > 0) {
      const grant = this.grantOf({ account: teamId, kind: 'user', user, scopes: userScopes }, again);
      grants.push(grant);
      Object.assign(authedUser, this.newPair(grant));
    }
    return { body, grants };
  }

  private refreshed(grant: Grant): Json {
    const team = this.world.team(grant.account);
    const pair = this.newPair(grant);
    const common = {
      ok: true,
      app_id: this.world.state.appId,
      team: { id: team.id, name: team.name },
      enterprise: null,
      is_enterprise_install: false,
    };
    // A user token comes back at the top level here, unlike at the install.
    return grant.kind === 'user' ? { ...common, id: grant.user, ...pair } : { ...common, ...pair, bot_user_id: team.botUserId };
  }

  /** An app that is installed again adds to the installation that is there, with its scopes. */
  private grantOf(fields: Pick<Grant, 'account' | 'kind' | 'user' | 'scopes'>, again: boolean): Grant {
    return (again ? this.tokens.addToGrant(fields) : undefined) ?? this.tokens.createGrant(fields);
  }

  /** Of an installation two tokens live; a third one ends the oldest. */
  private newPair(grant: Grant): Json {
    const pair = this.pair(grant);
    if (this.context.options.slackRotation !== false) this.tokens.keepNewest(grant, MAX_ACTIVE_TOKENS);
    return pair;
  }

  private pair(grant: Grant): Json {
    const bot = grant.kind === 'bot';
    const common = { token_type: grant.kind, scope: grant.scopes.join(',') };
    if (this.context.options.slackRotation === false)
      return { access_token: this.tokens.issueAccess(grant, bot ? 'xoxb-' : 'xoxp-', null), ...common };
    const ttlS = this.context.options.accessTokenTtlS?.['slack'] ?? ROTATION_TTL_S;
    return {
      access_token: this.tokens.issueAccess(grant, bot ? 'xoxe.xoxb-1-' : 'xoxe.xoxp-1-', ttlS, 120),
      refresh_token: this.tokens.issueRefresh(grant, 'xoxe-1-'),
      expires_in: ttlS,
      ...common,
    };
  }
}

export function refuse(error: string, extra: Json = {}): SandboxResponse {
  return { status: 200, body: { ok: false, error, ...extra } };
}

function split(scopes: string | null): string[] {
  return (scopes ?? '').split(/[, ]+/).filter(Boolean);
}
