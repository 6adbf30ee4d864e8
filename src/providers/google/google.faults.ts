import type { ProviderFault } from '../../integrations';

type Answer = { readonly status: number; readonly headers: Headers; readonly json: unknown };
type Fault = Omit<ProviderFault, 'providerCode'>;

const limited: Fault = { code: 'provider_rate_limited', retryable: true, notExecuted: true, detail: 'Google asks us to slow down.' };
const DAY_OVER: Fault = {
  ...limited,
  retryAfterMs: 3_600_000,
  detail: 'The daily limit of Google is reached.',
  nextStep: 'Try again tomorrow.',
};
const scope: Fault = {
  code: 'missing_scope',
  retryable: false,
  notExecuted: true,
  detail: 'This Google account has not allowed this.',
  nextStep: 'Reconnect Google and leave the permission ticked.',
};
const conflict: Fault = { code: 'provider_conflict', retryable: false, notExecuted: true };
const cursorGone: Fault = { code: 'sync_cursor_expired', retryable: false, notExecuted: true };
const apiOff: Fault = {
  code: 'provider_misconfigured',
  retryable: false,
  notExecuted: true,
  detail: 'This API of Google is not turned on for this application.',
  nextStep: 'Ask an administrator to turn the API on in the Google Cloud console.',
};
const policy: Fault = {
  code: 'organization_forbids',
  retryable: false,
  notExecuted: true,
  detail: 'The organization of this Google account does not allow this.',
  nextStep: 'Ask the administrator of the organization.',
};

/** The client or its consent screen was removed, turned off, or is set up wrongly: the operator's to mend. */
export const GOOGLE_CLIENT_FAULTS: readonly string[] = [
  'invalid_client',
  'unauthorized_client',
  'deleted_client',
  'disabled_client',
  'org_internal',
  'redirect_uri_mismatch',
  'unsupported_grant_type',
];
/** What the operator has to mend, by the code. */
export const GOOGLE_MENDED_BY: Readonly<Record<string, string>> = {
  deleted_client: 'GOOGLE_CLIENT_ID',
  disabled_client: 'GOOGLE_CLIENT_ID',
  org_internal: 'the audience of the consent screen in the Google Cloud console',
  accessNotConfigured: 'the list of enabled APIs in the Google Cloud console',
  SERVICE_DISABLED: 'the list of enabled APIs in the Google Cloud console',
  'push.webhookUrlUnauthorized': 'PUBLIC_URL',
  'push.webhookUrlNotHttps': 'PUBLIC_URL',
};
/** A Workspace administrator restricts which applications people may use. */
export const GOOGLE_ORGANIZATION_FAULTS: readonly string[] = ['admin_policy_enforced'];

const notOurAddress: Fault = {
  code: 'provider_misconfigured',
  retryable: false,
  notExecuted: true,
  detail: 'Google does not send notifications to the address of this application.',
};

/**
 * Reasons that decide, whatever the status: quota comes as 403 as well as 429.
 * https://developers.google.com/workspace/calendar/api/guides/errors, https://developers.google.com/workspace/gmail/api/guides/handle-errors
 */
const BY_REASON: Readonly<Record<string, Fault>> = {
  rateLimitExceeded: limited,
  userRateLimitExceeded: limited,
  quotaExceeded: limited,
  RATE_LIMIT_EXCEEDED: limited,
  dailyLimitExceeded: DAY_OVER,
  insufficientPermissions: scope,
  insufficientScope: scope,
  ACCESS_TOKEN_SCOPE_INSUFFICIENT: scope,
  accessNotConfigured: apiOff,
  SERVICE_DISABLED: apiOff,
  domainPolicy: policy,
  // The address of PUBLIC_URL is not verified for the Cloud project: https://developers.google.com/workspace/calendar/api/guides/push
  'push.webhookUrlUnauthorized': notOurAddress,
  'push.webhookUrlNotHttps': notOurAddress,
  fullSyncRequired: cursorGone,
  updatedMinTooLongAgo: cursorGone,
  duplicate: conflict,
  conflict,
  conditionNotMet: conflict,
  pushNotSupportedForRequestedResource: {
    code: 'not_supported',
    retryable: false,
    notExecuted: true,
    detail: 'Google does not tell of changes of this calendar.',
  },
  failedPrecondition: {
    code: 'provider_rejected',
    retryable: false,
    notExecuted: true,
    detail: 'This Google account has no mailbox.',
    nextStep: 'Connect an account that uses Gmail.',
  },
};

/** Reads `error` of Google's answers: an object from the APIs, a string from the token endpoint. */
export function readGoogleFault({ status, json }: Answer): ProviderFault | undefined {
  if (status < 400) return undefined;
  const error = (json as { error?: unknown } | null | undefined)?.error;
  if (typeof error === 'string') return tokenFault(error, status);
  const reasons = reasonsOf(error);
  const providerCode = reasons.find((reason) => Object.hasOwn(BY_REASON, reason)) ?? reasons[0];
  const known = providerCode === undefined ? undefined : BY_REASON[providerCode];
  // A 401 says nothing about the grant where it is told that our own set-up was refused.
  if (status < 500 && known && (status !== 401 || known.code === 'provider_misconfigured')) return { ...known, providerCode };
  return byStatus(status, providerCode);
}

function byStatus(status: number, providerCode: string | undefined): ProviderFault | undefined {
  const definite = { providerCode, retryable: false, notExecuted: true };
  switch (status) {
    case 400:
      return { ...definite, code: 'provider_rejected', detail: 'Google did not accept the request.' };
    case 401:
      return { code: 'needs_reauth', providerCode, tokenExpired: true, notExecuted: true };
    case 403:
      // A refresh cannot help, and trying again neither.
      return {
        ...definite,
        code: 'provider_forbidden',
        detail: 'This Google account may not do this.',
        nextStep: 'Ask the owner of the calendar or the administrator for the permission.',
      };
    case 404:
    case 410:
      return { ...definite, code: 'provider_not_found', detail: 'Google has no such thing, or this account cannot see it.' };
    case 409:
    case 412:
      return { ...definite, code: 'provider_conflict' };
    case 429:
      return { ...limited, providerCode };
    default:
      return status >= 500 ? { code: 'provider_unavailable', providerCode, detail: 'Google has a problem at the moment.' } : undefined;
  }
}

/** https://developers.google.com/identity/protocols/oauth2/web-server#exchange-errors */
function tokenFault(error: string, status: number): ProviderFault | undefined {
  const providerCode = safeCode(error);
  if (status >= 500) return undefined;
  if (status === 429) return { ...limited, providerCode };
  if (providerCode !== undefined && GOOGLE_CLIENT_FAULTS.includes(providerCode))
    return { code: 'provider_misconfigured', providerCode, retryable: false, notExecuted: true };
  if (providerCode !== undefined && GOOGLE_ORGANIZATION_FAULTS.includes(providerCode))
    return { code: 'organization_forbids', providerCode, retryable: false, notExecuted: true };
  if (status === 401) return { code: 'needs_reauth', providerCode, tokenExpired: true, notExecuted: true };
  return {
    code: 'connect_failed',
    providerCode,
    retryable: false,
    notExecuted: true,
    detail: 'Google did not accept this sign-in.',
    nextStep: 'Start connecting again.',
  };
}

interface GoogleError {
  readonly status?: unknown;
  readonly errors?: unknown;
  readonly details?: unknown;
}

/** The API's own reasons first, then the newer error details, then the canonical status. */
function reasonsOf(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const { errors, details, status } = error as GoogleError;
  const lists = [errors, details].flatMap((list) => (Array.isArray(list) ? list.slice(0, 10) : []));
  const reasons = lists.map((each) => safeCode((each as { reason?: unknown } | null)?.reason));
  return [...reasons, safeCode(status)].filter((code) => code !== undefined);
}

function safeCode(code: unknown): string | undefined {
  return typeof code === 'string' && /^[A-Za-z][\w.-]{0,63}$/.test(code) ? code : undefined;
}
