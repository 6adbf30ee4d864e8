import type { ProviderFault } from '../../integrations';

type Answer = { readonly status: number; readonly headers: Headers; readonly json: unknown };
type Fault = Omit<ProviderFault, 'providerCode'>;

const refused = (detail: string, nextStep: string): Fault => ({
  code: 'provider_rejected',
  retryable: false,
  notExecuted: true,
  detail,
  nextStep,
});
const ended: Fault = {
  code: 'needs_reauth',
  grantEnded: true,
  notExecuted: true,
  detail: 'Slack ended the access to this workspace.',
  nextStep: 'Reconnect Slack to go on.',
};
const forbidden = (detail: string, nextStep: string): Fault => ({
  code: 'provider_forbidden',
  retryable: false,
  notExecuted: true,
  detail,
  nextStep,
});
const missing = (detail: string, nextStep: string): Fault => ({
  code: 'provider_not_found',
  retryable: false,
  notExecuted: true,
  detail,
  nextStep,
});
const connecting: Fault = {
  code: 'connect_failed',
  retryable: false,
  notExecuted: true,
  detail: 'Slack did not accept this sign-in.',
  nextStep: 'Start connecting again.',
};
const byOrganization: Fault = {
  code: 'organization_forbids',
  retryable: false,
  notExecuted: true,
  detail: 'The organization of this Slack workspace does not allow this application.',
  nextStep: 'Ask an administrator of the workspace to allow it.',
};
const ourClient: Fault = { code: 'provider_misconfigured', retryable: false, notExecuted: true };
/** What the operator has to mend, by the code. */
export const SLACK_MENDED_BY: Readonly<Record<string, string>> = {
  bad_client_secret: 'SLACK_CLIENT_SECRET',
  invalid_client_id: 'SLACK_CLIENT_ID',
  client_id_token_mismatch: 'SLACK_CLIENT_ID',
  bad_redirect_uri: 'PUBLIC_URL',
  accesslimited: 'the allowed IP addresses on the page of the Slack app',
};
/** "Some aspect of the operation may have succeeded": https://docs.slack.dev/reference/methods/chat.postMessage */
const doubtful: Fault = { code: 'provider_unavailable', retryable: true, notExecuted: false, detail: 'Slack has a problem at the moment.' };
const limited: Fault = { code: 'provider_rate_limited', retryable: true, notExecuted: true, detail: 'Slack asks us to slow down.' };

const NO_CHANNEL = missing(
  'Slack has no such channel, or the app cannot see it.',
  'Choose another channel; invite the app if the channel is private.',
);
const BAD_LAYOUT = refused(
  'Slack could not read the layout of this message.',
  'Check the blocks and attachments against the Block Kit builder.',
);
const NOT_ALLOWED = forbidden('This workspace does not let the app do this.', 'Ask an administrator of the workspace.');

/** Codes of a body with `ok: false`, each in words for a person; those of single methods are on the method's page. */
const FAULTS: Readonly<Record<string, Fault>> = {
  ratelimited: limited,
  rate_limited: limited,
  message_limit_exceeded: { ...limited, detail: 'This workspace has reached its limit of messages.', retryable: false },
  token_expired: { code: 'needs_reauth', tokenExpired: true, notExecuted: true },
  invalid_auth: ended,
  not_authed: ended,
  account_inactive: ended,
  token_revoked: ended,
  app_uninstalled: ended,
  missing_scope: {
    code: 'missing_scope',
    retryable: false,
    notExecuted: true,
    detail: 'The app was not given the Slack permission that this needs.',
    nextStep: 'Reconnect Slack and allow the permission.',
  },
  not_allowed_token_type: {
    code: 'missing_scope',
    retryable: false,
    notExecuted: true,
    detail: 'This kind of Slack access cannot do this.',
    nextStep: 'Reconnect Slack and allow the permission.',
  },
  channel_not_found: NO_CHANNEL,
  not_in_channel: forbidden('The app is not a member of this channel.', 'Invite the app to the channel in Slack, then try again.'),
  is_archived: refused('This channel is archived.', 'Choose another channel, or unarchive it in Slack.'),
  user_not_found: missing('Slack has no such user.', 'Check the user.'),
  message_not_found: missing('Slack has no such message.', 'Check the message.'),
  thread_not_found: missing('Slack has no such thread.', 'Check the thread.'),
  msg_too_long: refused('This message is too long for Slack.', 'Shorten it to at most 40,000 characters.'),
  no_text: refused('There is nothing to send.', 'Give a text, blocks or attachments.'),
  invalid_blocks: BAD_LAYOUT,
  invalid_blocks_format: BAD_LAYOUT,
  invalid_attachments: BAD_LAYOUT,
  too_many_attachments: refused('This message has too many attachments.', 'Send at most 100 attachments.'),
  invalid_cursor: refused('Slack no longer knows this place in the list.', 'Start the list again.'),
  invalid_limit: refused('Slack does not take this page size.', 'Use a smaller limit.'),
  invalid_arguments: refused('Slack did not understand the request.', 'Check what was sent.'),
  invalid_arg_name: refused('Slack did not understand the request.', 'Check what was sent.'),
  unknown_method: missing('Slack has no such method.', 'Check the name of the method.'),
  restricted_action: NOT_ALLOWED,
  restricted_action_read_only_channel: forbidden('Only some members may post in this channel.', 'Choose another channel.'),
  restricted_action_thread_only_channel: forbidden('In this channel only replies in threads are allowed.', 'Reply in a thread.'),
  no_permission: NOT_ALLOWED,
  access_denied: NOT_ALLOWED,
  ekm_access_denied: byOrganization,
  team_access_not_granted: byOrganization,
  // "The workspace is undergoing an enterprise migration": it passes.
  org_login_required: { ...doubtful, notExecuted: true, detail: 'This workspace is being moved in Slack.' },
  // Calls are allowed from certain addresses only, by a setting of the app.
  accesslimited: ourClient,
  team_added_to_org: { ...doubtful, notExecuted: true, detail: 'This workspace is being moved in Slack.' },
  internal_error: doubtful,
  fatal_error: doubtful,
  service_unavailable: doubtful,
  // "The POST data was missing or truncated", so nothing was done.
  request_timeout: { ...doubtful, notExecuted: true },
  invalid_code: connecting,
  code_already_used: connecting,
  oauth_authorization_url_mismatch: connecting,
  invalid_refresh_token: connecting,
  bad_client_secret: ourClient,
  invalid_client_id: ourClient,
  bad_redirect_uri: ourClient,
  invalid_grant_type: ourClient,
  client_id_token_mismatch: ourClient,
};

const UNKNOWN = refused('Slack did not accept the request.', 'Check what was sent.');

/**
 * Slack answers 200 with `ok: false` and a code; a code that we do not know is not tried again.
 * https://docs.slack.dev/apis/web-api/using-the-slack-web-api#evaluating-responses
 */
export function readSlackFault({ status, json }: Answer): ProviderFault | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  const { ok, error, needed } = json as { ok?: unknown; error?: unknown; needed?: unknown };
  if (ok !== false) return undefined;
  // A gateway's page or sentence must not travel as a code.
  const providerCode = typeof error === 'string' && /^[a-z][a-z0-9_.:-]{0,63}$/.test(error) ? error : undefined;
  const known = providerCode !== undefined && Object.hasOwn(FAULTS, providerCode) ? FAULTS[providerCode] : undefined;
  if (!known) return status >= 500 ? { ...doubtful, providerCode } : { ...(status === 429 ? limited : UNKNOWN), providerCode };
  const extra =
    providerCode === 'missing_scope' && typeof needed === 'string' ? { extra: { neededScopes: needed.slice(0, 200).split(',') } } : {};
  return { ...known, providerCode, ...extra };
}
