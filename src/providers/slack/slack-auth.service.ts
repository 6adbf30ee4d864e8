import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import type { AccountIdentity, Fetch, ProviderAuth, TokenGrant } from '../../integrations';
import { SLACK, SLACK_API_BASE_URL, slackOAuth2 } from './slack.facts';
import { slackSettings } from './slack.settings';

const id = z.string().min(1).max(64);
const token = z.string().min(1).max(4096);
const named = z.object({ id, name: z.string().max(500).optional() });

/** https://docs.slack.dev/reference/methods/oauth.v2.access */
const tokenBody = z.object({
  ok: z.boolean(),
  error: z.string().optional(),
  access_token: token.optional(),
  token_type: z.string().optional(),
  scope: z.string().optional(),
  refresh_token: token.optional(),
  expires_in: z.number().positive().optional(),
  bot_user_id: id.nullish(),
  app_id: id.nullish(),
  team: named.nullish(),
  enterprise: named.nullish(),
  is_enterprise_install: z.boolean().nullish(),
  authed_user: z
    .object({
      id: id.nullish(),
      scope: z.string().optional(),
      access_token: token.optional(),
      refresh_token: token.optional(),
      expires_in: z.number().positive().optional(),
    })
    .nullish(),
});
type TokenBody = z.infer<typeof tokenBody>;

/** What `auth.test` answers: https://docs.slack.dev/reference/methods/auth.test */
const authTest = z.object({
  ok: z.literal(true),
  team: z.string().optional(),
  team_id: id.nullish(),
  user_id: id.nullish(),
  enterprise_id: id.nullish(),
});

/** Codes that mean: there was nothing left to revoke. */
const ALREADY_GONE: readonly string[] = [
  'invalid_auth',
  'token_revoked',
  'account_inactive',
  'app_uninstalled',
  'not_authed',
  'token_expired',
];

/** Slack's OAuth v2: a workspace may give a bot token and a user token, each with a life of its own. */
@Injectable()
export class SlackAuthService implements ProviderAuth {
  private readonly apiBaseUrl: string;

  constructor(@Inject(SETTINGS) private readonly settings: Settings) {
    this.apiBaseUrl = providerSettings(settings, slackSettings).apiBaseUrl ?? SLACK_API_BASE_URL;
  }

  parseTokenResponse(body: unknown, context: { step: 'exchange' | 'refresh'; kind?: string }): readonly TokenGrant[] {
    const answer = readTokenBody(body);
    // A refreshed user token comes at the top, where an installation has the bot's:
    // https://docs.slack.dev/authentication/using-token-rotation
    if (context.step === 'refresh') return [grantOf(context.kind ?? (answer.token_type === 'user' ? 'user' : 'bot'), answer)];
    const user = answer.authed_user;
    const grants = [
      ...(answer.access_token ? [grantOf(answer.token_type === 'user' ? 'user' : 'bot', answer)] : []),
      ...(user?.access_token ? [grantOf('user', user)] : []),
    ];
    if (grants.length === 0) throw new IntegrationError('connect_failed', { detail: 'Slack gave no access.', provider: SLACK });
    return grants;
  }

  async identify({
    fetch,
    grants,
    tokenBody: body,
  }: {
    fetch: Fetch;
    grants: readonly TokenGrant[];
    tokenBody: unknown;
  }): Promise<AccountIdentity> {
    const answer = readTokenBody(body);
    const parsed = authTest.safeParse(await (await this.call(fetch, 'auth.test')).json());
    if (!parsed.success)
      throw new IntegrationError('provider_bad_answer', { provider: SLACK, detail: 'Slack did not say which workspace this is.' });
    const test = parsed.data;
    const organization = answer.is_enterprise_install === true ? answer.enterprise : undefined;
    const home = organization ?? answer.team;
    const homeId = home?.id ?? test.team_id ?? test.enterprise_id;
    if (!homeId) throw new IntegrationError('connect_failed', { detail: 'Slack did not say which workspace this is.', provider: SLACK });
    const kinds = grants.map((grant) => grant.kind);
    const userId = answer.authed_user?.id ?? (kinds.includes('bot') ? undefined : test.user_id);
    return {
      // A workspace has one installation of the app, but as many user tokens as users.
      accountId: kinds.includes('bot') ? homeId : `${homeId}:${userId ?? 'user'}`,
      accountName: home?.name ?? test.team ?? homeId,
      grantKey: homeId,
      routingKey: homeId,
      metadata: {
        teamId: organization ? null : (answer.team?.id ?? test.team_id ?? null),
        // Of a whole organization: its workspaces are asked for, and named at each list.
        isOrgWide: organization != null,
        enterpriseId: answer.enterprise?.id ?? test.enterprise_id ?? null,
        appId: answer.app_id ?? null,
        botUserId: answer.bot_user_id ?? null,
        authedUserId: userId ?? null,
        kinds,
        // Of the token that calls go with: what the person's own may do, the app's may not.
        scopes: (grants.find(({ kind }) => kind === 'bot') ?? grants[0])?.scopes ?? [],
      },
    };
  }

  /** A workspace has one installation of the app with one bot token, and of each person in it one token. */
  slotOf(kind: string, { authedUserId }: Readonly<Record<string, unknown>>): string | undefined {
    if (kind === 'bot') return 'bot';
    return typeof authedUserId === 'string' ? `user:${authedUserId}` : undefined;
  }

  /** `auth.revoke` ends one token only and leaves a rotating installation in place with its events coming, so the app is uninstalled. */
  async revoke({ fetch }: Parameters<NonNullable<ProviderAuth['revoke']>>[0]): Promise<boolean> {
    const { clientId, clientSecret } = slackOAuth2(providerSettings(this.settings, slackSettings), this.apiBaseUrl);
    if (!clientId || !clientSecret) return this.end(fetch, 'auth.revoke', {});
    return this.end(fetch, 'apps.uninstall', { client_id: clientId, client_secret: clientSecret });
  }

  /** A person's token, while the installation stays. */
  revokeTokens({ fetch }: Parameters<NonNullable<ProviderAuth['revoke']>>[0]): Promise<boolean> {
    return this.end(fetch, 'auth.revoke', {});
  }

  private async end(fetch: Fetch, method: string, fields: Readonly<Record<string, string>>): Promise<boolean> {
    try {
      await (await this.call(fetch, method, fields)).text();
      return true;
    } catch (error) {
      if (error instanceof IntegrationError && (error.code === 'needs_reauth' || ALREADY_GONE.includes(error.providerCode ?? '')))
        return true;
      throw error;
    }
  }

  private call(fetch: Fetch, method: string, fields: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`${this.apiBaseUrl}${method}`, { method: 'POST', body: new URLSearchParams(fields) });
  }
}

function readTokenBody(body: unknown): TokenBody {
  const parsed = tokenBody.safeParse(body);
  if (!parsed.success)
    throw new IntegrationError('provider_bad_answer', {
      provider: SLACK,
      detail: 'Slack answered the sign-in with something that could not be read.',
    });
  if (!parsed.data.ok)
    throw new IntegrationError('connect_failed', { provider: SLACK, providerCode: parsed.data.error ?? 'unknown', notExecuted: true });
  return parsed.data;
}

function grantOf(kind: string, from: { access_token?: string; refresh_token?: string; expires_in?: number; scope?: string }): TokenGrant {
  if (!from.access_token) throw new IntegrationError('connect_failed', { detail: 'Slack gave no access.', provider: SLACK });
  return {
    kind,
    accessToken: from.access_token,
    refreshToken: from.refresh_token,
    expiresInS: from.expires_in,
    scopes: (from.scope ?? '').split(',').filter(Boolean),
  };
}
