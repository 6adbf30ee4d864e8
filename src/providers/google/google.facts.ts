import type { ProviderSettings } from '../../config/provider-settings';
import type { EndpointFacts, HttpFacts, JwksFacts, LimitFacts, OAuth2Facts } from '../../integrations';
import { GOOGLE_CLIENT_FAULTS, GOOGLE_ORGANIZATION_FAULTS, readGoogleFault } from './google.faults';

export const GOOGLE = 'google';
export const GOOGLE_API_BASE_URL = 'https://www.googleapis.com/';
export const GMAIL_API_BASE_URL = 'https://gmail.googleapis.com/';

const SCOPE = 'https://www.googleapis.com/auth/';
export const CALENDAR_SCOPE = `${SCOPE}calendar.readonly`;
export const MAIL_READ_SCOPE = `${SCOPE}gmail.readonly`;
export const MAIL_SEND_SCOPE = `${SCOPE}gmail.send`;

/** What is asked for by default; a person may untick any of them on the consent page. */
const ASKED_SCOPES: readonly string[] = [CALENDAR_SCOPE, MAIL_READ_SCOPE, MAIL_SEND_SCOPE];
/** Wider ones do as well: a caller may have asked for them. */
export const CALENDAR_SCOPES: readonly string[] = [CALENDAR_SCOPE, `${SCOPE}calendar`];
export const MAIL_READ_SCOPES: readonly string[] = [
  MAIL_READ_SCOPE,
  `${SCOPE}gmail.modify`,
  `${SCOPE}gmail.metadata`,
  'https://mail.google.com/',
];
export const MAIL_SEND_SCOPES: readonly string[] = [`${SCOPE}gmail.compose`, `${SCOPE}gmail.modify`, 'https://mail.google.com/'];
/** Not asked for by default: who changes calendars asks for it at the connect. */
export const CALENDAR_WRITE_SCOPE = `${SCOPE}calendar.events`;
export const CALENDAR_WRITE_SCOPES: readonly string[] = [`${SCOPE}calendar`];
/** Without one of these nothing can be done here. */
export const isUseful = (scope: string): boolean =>
  scope.startsWith(`${SCOPE}calendar`) || scope.startsWith(`${SCOPE}gmail.`) || scope === 'https://mail.google.com/';

const SCOPE_WORDS: Readonly<Record<string, string>> = {
  openid: 'Know which Google account it is',
  email: 'See the e-mail address of the account',
  [CALENDAR_SCOPE]: 'Read your calendars and their events',
  [CALENDAR_WRITE_SCOPE]: 'Read, make, change and delete events in your calendars',
  [`${SCOPE}calendar`]: 'Read, change, share and delete your calendars and their events',
  [MAIL_READ_SCOPE]: 'Read all your mail',
  [MAIL_SEND_SCOPE]: 'Send mail in your name',
  [`${SCOPE}gmail.compose`]: 'Write drafts and send mail in your name',
  [`${SCOPE}gmail.metadata`]: 'See senders, subjects and labels of your mail, not its text',
  [`${SCOPE}gmail.modify`]: 'Read, write, send and label your mail, and move it to the bin',
  'https://mail.google.com/': 'Read, write, send and delete all your mail for good',
};

/** https://developers.google.com/identity/protocols/oauth2/web-server */
export function googleOAuth2(settings: ProviderSettings): OAuth2Facts {
  return {
    clientId: settings.clientId ?? '',
    clientSecret: settings.clientSecret ?? '',
    authorizeUrl: settings.authorizeUrl ?? 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenUrl: settings.tokenUrl ?? 'https://oauth2.googleapis.com/token',
    revokeUrl: settings.revokeUrl ?? 'https://oauth2.googleapis.com/revoke',
    userinfoUrl: settings.userinfoUrl ?? 'https://openidconnect.googleapis.com/v1/userinfo',
    scopes: ['openid', 'email', ...ASKED_SCOPES],
    scopeWords: SCOPE_WORDS,
    scopeSeparator: ' ',
    pkce: true,
    issuer: 'https://accounts.google.com',
    // Without `consent` a refresh token comes with the first grant only.
    authorizeParams: { access_type: 'offline', prompt: 'consent', include_granted_scopes: 'true' },
    refusalCodes: ['invalid_grant'],
    clientFaultCodes: GOOGLE_CLIENT_FAULTS,
    organizationCodes: GOOGLE_ORGANIZATION_FAULTS,
  };
}

/** A channel's notifications are not signed: https://developers.google.com/workspace/calendar/api/guides/push */
export const CHANNEL_HEADERS = { channelId: 'x-goog-channel-id', token: 'x-goog-channel-token', resourceId: 'x-goog-resource-id' } as const;

/**
 * What the OIDC token of a Pub/Sub push must say: https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
 *
 * @param given `email` is the service account that the subscription pushes as, `audience` what it was told to name
 */
export function pushToken(given: { audience?: string; email?: string; jwksUrl?: string; issuer?: string }): JwksFacts {
  return {
    jwksUrl: given.jwksUrl ?? 'https://www.googleapis.com/oauth2/v3/certs',
    issuers: given.issuer ? [given.issuer] : ['https://accounts.google.com', 'accounts.google.com'],
    audience: given.audience,
    claims: { email: given.email, email_verified: true },
  };
}

/** The mail API has an origin of its own, unless all addresses are given (the sandbox). */
export function googleRoots(settings: ProviderSettings): { calendar: string; gmail: string } {
  const given = settings.apiBaseUrl;
  return given ? { calendar: given, gmail: given } : { calendar: GOOGLE_API_BASE_URL, gmail: GMAIL_API_BASE_URL };
}

/**
 * Calendar: 600 calls a minute and person, 10,000 a minute and project (https://developers.google.com/workspace/calendar/api/guides/quota).
 * Gmail: 6,000 units a minute and person, 1,200,000 a minute and project (https://developers.google.com/workspace/gmail/api/reference/quota).
 * Burst and sustained rate together stay within the minute.
 */
const LIMITS = {
  'calendar-person': { perSecond: 8, burst: 100, per: 'account' },
  'calendar-project': { perSecond: 140, burst: 1_000, per: 'provider' },
  'gmail-person': { perSecond: 75, burst: 1_500, per: 'account' },
  'gmail-project': { perSecond: 15_000, burst: 250_000, per: 'provider' },
} as const satisfies Record<string, LimitFacts>;

const CALENDAR_LIMITS = ['calendar-person', 'calendar-project'];
const GMAIL_LIMITS = ['gmail-person', 'gmail-project'];

const calendar = (path: string, facts: Partial<EndpointFacts> = {}): EndpointFacts => ({
  path: `/calendar/v3/${path}`,
  limits: CALENDAR_LIMITS,
  ...facts,
});
const gmail = (path: string, cost: number, facts: Partial<EndpointFacts> = {}): EndpointFacts => ({
  path: `/gmail/v1/users/:user/${path}`,
  limits: GMAIL_LIMITS,
  cost,
  ...facts,
});

const ENDPOINTS: readonly EndpointFacts[] = [
  calendar('users/me/calendarList/watch', { method: 'POST', repeatable: false }),
  calendar('users/me/calendarList'),
  calendar('users/me/calendarList/:calendar'),
  // A channel's id serves once: a second try would be refused, not doubled, but what came of the first would be lost.
  calendar('calendars/:calendar/events/watch', { method: 'POST', repeatable: false }),
  calendar('calendars/:calendar/events'),
  calendar('calendars/:calendar/events/:event'),
  // A read that is a POST.
  calendar('freeBusy', { method: 'POST', repeatable: true }),
  calendar('channels/stop', { method: 'POST', repeatable: true }),
  // No idempotency key: after a doubtful failure it is not sent again.
  gmail('messages/send', 100, { method: 'POST', repeatable: false }),
  gmail('messages', 5),
  gmail('messages/:message', 20),
  gmail('history', 2),
  gmail('profile', 1),
  gmail('watch', 100, { method: 'POST', repeatable: true }),
  gmail('stop', 50, { method: 'POST', repeatable: true }),
  { path: '/v1/userinfo' },
  { path: '/gmail/v1/:rest+', limits: GMAIL_LIMITS, cost: 50, proxy: 'any' },
  { path: '/calendar/v3/:rest+', limits: CALENDAR_LIMITS, proxy: 'any' },
];

export function googleHttp(apiBaseUrl: string): HttpFacts {
  const prefix = new URL(apiBaseUrl).pathname.replace(/\/$/, '');
  return {
    endpoints: ENDPOINTS.map((facts) => ({ ...facts, path: `${prefix}${facts.path}` })),
    limits: LIMITS,
    defaultLimits: [],
    // https://docs.cloud.google.com/apis/docs/system-parameters
    foreignAccount: {
      headers: ['x-goog-api-key', 'x-goog-user-project', 'x-goog-quota-user'],
      parameters: ['key', 'quotauser', 'userip', 'access_token', 'oauth_token', '$key', '$quotauser'],
    },
    readFault: readGoogleFault,
  };
}
