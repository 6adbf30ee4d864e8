import { type ConsentRules, showConsent, takeConsent } from '../consent';
import { text } from '../form-body';
import type { SandboxContext } from '../sandbox-context';
import type { Json, Route, SandboxRequest, SandboxResponse } from '../sandbox.types';
import { clientCredentials, type Grant, pkceMatches, type TokenStore } from '../token-store';
import type { SlackWorld } from './slack.world';

/** Slack fixes this at 12 hours: https://docs.slack.dev/authentication/using-token-rotation */
const ROTATION_TTL_S = 43_200;
const MAX_ACTIVE_TOKENS = 2;

/** Install and token rotation. Failures are HTTP 200 with `ok: false`, as at Slack. */
export class SlackOAuth {
  private readonly rules: ConsentRules;

  constructor(
    private readonly context: SandboxContext,
    private readonly world: SlackWorld,
    private readonly tokens: TokenStore,
  ) {
    this.rules = {
      title: 'Slack',
      clientId: context.secrets.clientId,
      scopeFields: ['scope', 'user_scope'],
      scopeSeparator: /[, ]+/,
      accountField: 'team',
      defaultAccount: 'T_ACME',
      granular: false,
      needsResponseType: false,
      ...(context.options.redirectUris ? { redirectUris: context.options.redirectUris } : {}),
      auto: context.autoConsent,
      allow: (fields) => ({ code: this.allow(fields) }),
    };
  }

  routes(): Route[] {
    return [
      { method: 'GET', pattern: '/oauth/v2/authorize', endpoint: 'oauth.authorize', handle: (request) => showConsent(request, this.rules) },
      { method: 'POST', pattern: '/oauth/consent', endpoint: 'oauth.consent', handle: (request) => takeConsent(request, this.rules) },
    ];
  }

  /** `oauth.v2.access` */
  access(request: SandboxRequest): SandboxResponse {
    const { id, secret } = clientCredentials(request.headers, request.body);
    const grantType = text(request.body['grant_type']) ?? 'authorization_code';
    request.note({ grantType });
    if (id !== this.context.secrets.clientId) return refuse('invalid_client_id');
    if (secret !== this.context.secrets.clientSecret) return refuse('bad_client_secret');
    if (grantType === 'authorization_code') return this.exchange(request);
    if (grantType === 'refresh_token') return this.refresh(request);
    return refuse('invalid_grant_type');
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
    const { id, secret } = {
      id: text(request.body['client_id']) ?? request.query.get('client_id'),
      secret: text(request.body['client_secret']) ?? request.query.get('client_secret'),
    };
    if (id !== this.context.secrets.clientId) return refuse('invalid_client_id');
    if (secret !== this.context.secrets.clientSecret) return refuse('bad_client_secret');
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

  private allow(fields: URLSearchParams): string {
    const team = this.world.team(fields.get('team') || 'T_ACME');
    return this.tokens.issueCode(
      {
        clientId: this.context.secrets.clientId,
        account: team.id,
        user: fields.get('user') ?? this.world.personOf(team),
        scopes: split(fields.get('scope')),
        userScopes: split(fields.get('user_scope')),
        redirectUri: fields.get('redirect_uri') ?? '',
        challenge: fields.get('code_challenge'),
        challengeMethod: fields.get('code_challenge_method') ?? 'plain',
        offline: true,
      },
      '',
    );
  }

  private exchange(request: SandboxRequest): SandboxResponse {
    const found = this.tokens.findCode(text(request.body['code']) ?? '');
    if (!found.ok) return refuse(found.reason === 'used' ? 'code_already_used' : 'invalid_code');
    const { row } = found;
    if ((text(request.body['redirect_uri']) ?? '') !== row.redirectUri) return refuse('bad_redirect_uri');
    if (!pkceMatches(row, text(request.body['code_verifier']))) return refuse('invalid_code_verifier');
    row.used = true;
    request.note({ team: row.account });
    const { body, grants } = this.install(row.account, row.user, row.scopes, row.userScopes, true);
    row.grantIds = grants.map((grant) => grant.id);
    return { status: 200, body };
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

  private refresh(request: SandboxRequest): SandboxResponse {
    const found = this.tokens.checkRefresh(text(request.body['refresh_token']) ?? '');
    if (!found.ok) return refuse('invalid_refresh_token');
    const { grant } = found;
    const team = this.world.team(grant.account);
    found.spend();
    const pair = this.newPair(grant);
    const common = {
      ok: true,
      app_id: this.world.state.appId,
      team: { id: team.id, name: team.name },
      enterprise: null,
      is_enterprise_install: false,
    };
    // A user token comes back at the top level here, unlike at the install.
    return {
      status: 200,
      body: grant.kind === 'user' ? { ...common, id: grant.user, ...pair } : { ...common, ...pair, bot_user_id: team.botUserId },
    };
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
