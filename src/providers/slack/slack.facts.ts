import type { ProviderSettings } from '../../config/provider-settings';
import type { ConnectionRef, EndpointFacts, HttpFacts, LimitFacts, OAuth2Facts, SignatureScheme } from '../../integrations';
import { readSlackFault } from './slack.faults';

export const SLACK = 'slack';
export const SLACK_API_BASE_URL = 'https://slack.com/api/';

/** https://docs.slack.dev/authentication/verifying-requests-from-slack */
export const SLACK_SIGNATURE = {
  kind: 'hmac',
  header: 'x-slack-signature',
  prefix: 'v0=',
  timestamp: 'x-slack-request-timestamp',
  signed: 'v0:{timestamp}:{body}',
} as const satisfies SignatureScheme;

/** The least that the resources and actions need: https://docs.slack.dev/reference/scopes */
const SCOPES = ['channels:history', 'channels:read', 'chat:write', 'users:read'] as const;

const SCOPE_WORDS: Readonly<Record<string, string>> = {
  'channels:history': 'Read messages in public channels that the app is in',
  'channels:read': 'See the public channels of the workspace',
  'chat:write': 'Send messages as the app',
  'users:read': 'See the people of the workspace',
  'channels:join': 'Join public channels',
  'files:read': 'See files that are shared where the app is',
  'groups:history': 'Read messages in private channels that the app is in',
  'groups:read': 'See the private channels that the app is in',
  'im:history': 'Read direct messages with the app',
  'team:read': 'See the name and the domain of the workspace',
  'users:read.email': 'See the e-mail addresses of the people of the workspace',
};

/** What a person's own token may do: https://docs.slack.dev/authentication/tokens#user */
const USER_SCOPE_WORDS: Readonly<Record<string, string>> = {
  'channels:history': 'Read messages in public channels',
  'channels:read': 'See the public channels of the workspace',
  'chat:write': 'Send messages in your name',
  'files:read': 'See the files that you can see',
  'files:write': 'Upload, change and delete files in your name',
  'groups:history': 'Read messages in your private channels',
  'groups:read': 'See your private channels',
  'im:history': 'Read your direct messages',
  'im:read': 'See with whom you have direct messages',
  'mpim:history': 'Read your direct messages with several people',
  'reactions:write': 'React to messages in your name',
  'search:read': 'Search all messages and files that you can see',
  'users.profile:write': 'Change your profile and your status',
  'users:read': 'See the people of the workspace',
};

/** Slack lists them to who was granted this only, and refuses the whole list otherwise: https://docs.slack.dev/reference/methods/conversations.list */
export function seesPrivateChannels({ metadata }: Pick<ConnectionRef, 'metadata'>): boolean {
  const scopes = metadata['scopes'];
  return Array.isArray(scopes) && scopes.includes('groups:read');
}

export function slackOAuth2(settings: ProviderSettings & { readonly userScopes?: readonly string[] }, apiBaseUrl: string): OAuth2Facts {
  return {
    clientId: settings.clientId ?? '',
    clientSecret: settings.clientSecret ?? '',
    authorizeUrl: settings.authorizeUrl ?? 'https://slack.com/oauth/v2/authorize',
    tokenUrl: settings.tokenUrl ?? `${apiBaseUrl}oauth.v2.access`,
    revokeUrl: settings.revokeUrl ?? `${apiBaseUrl}apps.uninstall`,
    scopes: SCOPES,
    scopeWords: SCOPE_WORDS,
    // https://docs.slack.dev/authentication/installing-with-oauth#asking
    userScopes: { parameter: 'user_scope', kind: 'user', allowed: settings.userScopes ?? [], words: USER_SCOPE_WORDS },
    scopeSeparator: ',',
    // Turning PKCE on makes a Slack app a public client for good, and its refresh tokens end after 30 days; a server that holds
    // the client secret keeps it off: https://docs.slack.dev/authentication/using-pkce
    pkce: false,
    refusalCodes: ['invalid_refresh_token', 'token_revoked', 'account_inactive', 'app_uninstalled', 'invalid_auth'],
    clientFaultCodes: ['bad_client_secret', 'invalid_client_id', 'client_id_token_mismatch', 'bad_redirect_uri', 'invalid_grant_type'],
    organizationCodes: ['team_access_not_granted', 'ekm_access_denied'],
  };
}

/**
 * Tiers are per method and workspace; "1+ a minute" means at least that, with bursts tolerated. `chat.postMessage` has a rule of its
 * own, one a second and channel: https://docs.slack.dev/apis/web-api/rate-limits
 */
const LIMITS = {
  tier1: { perSecond: 1 / 60, burst: 2, per: 'endpoint' },
  tier2: { perSecond: 20 / 60, burst: 10, per: 'endpoint' },
  tier3: { perSecond: 50 / 60, burst: 20, per: 'endpoint' },
  tier4: { perSecond: 100 / 60, burst: 40, per: 'endpoint' },
  channel: { perSecond: 1, burst: 3, per: 'param', keyParam: 'channel' },
  posting: { perSecond: 5, burst: 20, per: 'account' },
} as const satisfies Record<string, LimitFacts>;

/** Every call is a POST on the wire, so what may be repeated is known by the method, not by the verb. */
const METHODS: readonly (Pick<EndpointFacts, 'proxy'> & {
  readonly name: string;
  readonly limits: readonly (keyof typeof LIMITS)[];
  readonly repeatable: boolean;
})[] = [
  { name: 'oauth.v2.access', limits: [], repeatable: false, proxy: 'never' },
  { name: 'auth.test', limits: ['tier4'], repeatable: true },
  { name: 'auth.teams.list', limits: ['tier2'], repeatable: true },
  { name: 'auth.revoke', limits: ['tier3'], repeatable: true, proxy: 'never' },
  { name: 'apps.uninstall', limits: ['tier1'], repeatable: true, proxy: 'never' },
  { name: 'apps.event.authorizations.list', limits: ['tier4'], repeatable: true, proxy: 'never' },
  { name: 'team.info', limits: ['tier3'], repeatable: true },
  { name: 'conversations.list', limits: ['tier2'], repeatable: true },
  { name: 'conversations.info', limits: ['tier3'], repeatable: true },
  { name: 'conversations.history', limits: ['tier3'], repeatable: true },
  { name: 'conversations.replies', limits: ['tier3'], repeatable: true },
  { name: 'conversations.members', limits: ['tier4'], repeatable: true },
  { name: 'conversations.join', limits: ['tier3'], repeatable: true },
  { name: 'users.list', limits: ['tier2'], repeatable: true },
  { name: 'users.info', limits: ['tier4'], repeatable: true },
  // No idempotency key is documented: after a doubtful failure it is not sent again.
  { name: 'chat.postMessage', limits: ['channel', 'posting'], repeatable: false },
  { name: 'chat.postEphemeral', limits: ['tier4'], repeatable: false },
  { name: 'chat.update', limits: ['tier3'], repeatable: true },
  { name: 'chat.delete', limits: ['tier3'], repeatable: true },
];

export function slackHttp(apiBaseUrl: string): HttpFacts {
  const prefix = new URL(apiBaseUrl).pathname;
  const endpoints: EndpointFacts[] = METHODS.map(({ name, ...facts }) => ({ path: `${prefix}${name}`, ...facts }));
  return {
    endpoints: [...endpoints, { path: `${prefix}:method`, limits: ['tier2'], proxy: 'any' }],
    limits: LIMITS,
    defaultLimits: [],
    foreignAccount: { parameters: ['token', 'client_id', 'client_secret'] },
    readFault: readSlackFault,
  };
}
