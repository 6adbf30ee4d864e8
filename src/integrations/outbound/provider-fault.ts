import type { ErrorCode, IntegrationErrorOptions } from '../../errors';
import type { ConnectionRef, InstallationFacts, Provider, ProviderFault } from '../contract';
import { isRefusedSignIn, refusalOf } from '../providers';
import { AnswerError, type Answer } from './answer-error';
import { capped, parseRetryAfter } from './policies/retry-after';

/** Where providers put the id that their support asks for: the plain names first, then those with a word of the provider's own in them. */
const REQUEST_ID_HEADERS = ['request-id', 'x-request-id'];
const REQUEST_ID_HEADER = /^(x-)?([a-z0-9]+-)?(request-?id|req-id|correlation-id)$/;

export function isRequestIdHeader(name: string): boolean {
  return REQUEST_ID_HEADER.test(name);
}

/** For what was asked: `refresh` and `exchange` are calls of the token endpoint. */
export interface Asked {
  readonly authType?: ConnectionRef['authType'];
  /** `mint`: a token of an installation, which the app asks for. */
  readonly step?: 'refresh' | 'exchange' | 'mint';
}

/** @returns the error that this answer is, undefined where it is none: the provider's own reading first, then the HTTP status. */
export function faultOf(provider: Provider, answer: Answer, now: number, { authType, step }: Asked = {}): AnswerError | undefined {
  if (step !== undefined && step !== 'exchange' && provider.oauth2?.installation)
    return faultError(provider, answer, now, mintFault(provider.oauth2.installation, answer, step));
  const told = provider.http.readFault?.({
    status: answer.status,
    headers: answer.headers,
    json: answer.json,
    ...(authType && { authType }),
  });
  const read = told ?? byStatus(answer.status);
  return faultError(provider, answer, now, step && step !== 'mint' ? tokenFault(provider, answer, step, read) : read);
}

function faultError(provider: Provider, answer: Answer, now: number, fault: ProviderFault | undefined): AnswerError | undefined {
  if (!fault) return undefined;
  const retryAfterMs = parseRetryAfter(answer.headers, now);
  const options: IntegrationErrorOptions = {
    provider: provider.key,
    providerStatus: answer.status,
    providerCode: fault.providerCode,
    providerRequestId: requestIdOf(answer.headers),
    retryAfterMs: fault.retryAfterMs === undefined ? retryAfterMs : capped(fault.retryAfterMs),
    notExecuted: fault.notExecuted ?? answer.status < 500,
    ...(fault.retryable !== undefined && { retryable: fault.retryable }),
    ...(fault.detail !== undefined && { detail: fault.detail }),
    ...(fault.nextStep !== undefined && { nextStep: fault.nextStep }),
    ...(fault.extra !== undefined && { extra: fault.extra }),
  };
  return new AnswerError(fault.code, options, answer, fault);
}

/** A refusal of the token endpoint, sorted by the provider's lists of codes; some say no with a 200. */
function tokenFault(
  { oauth2 }: Provider,
  { status, json }: Answer,
  step: 'refresh' | 'exchange',
  read: ProviderFault | undefined,
): ProviderFault | undefined {
  // Whatever the endpoint is busy with passes, and is no refusal.
  if (status >= 500 || status === 429) return byStatus(status);
  if (!oauth2 || (read && PASSING.has(read.code))) return read;
  const { error, access_token: token } = (json ?? {}) as { error?: unknown; access_token?: unknown };
  // RFC 6749, 5.2: the code stands in `error`.
  const told = typeof error === 'string' && /^[\w.:-]{1,100}$/.test(error) && token === undefined ? error : undefined;
  const providerCode = read?.providerCode ?? told;
  if (!read && providerCode === undefined) return undefined;
  const code = providerCode === undefined ? undefined : refusalOf(oauth2, providerCode);
  const unknown = isRefusedSignIn(oauth2, status, json) ? 'needs_reauth' : step === 'refresh' ? 'refresh_refused' : 'connect_failed';
  return { code: code ?? unknown, providerCode, retryable: false, notExecuted: true };
}

/** The app asked in its own name: what it showed is the operator's, and no refusal of it is a connection's. */
function mintFault(installation: InstallationFacts, answer: Answer, step: 'refresh' | 'mint'): ProviderFault | undefined {
  const { status } = answer;
  if (status < 300 || status >= 500 || status === 429) return byStatus(status);
  const told = installation.readFault?.(answer);
  if (told) return told;
  const code = status === 401 ? 'provider_misconfigured' : step === 'refresh' ? 'refresh_refused' : 'connect_failed';
  return { code, retryable: false, notExecuted: true };
}

const PASSING: ReadonlySet<ErrorCode> = new Set([
  'provider_rate_limited',
  'provider_unavailable',
  'provider_timeout',
  'provider_bad_answer',
]);

export function requestIdOf(headers: Headers): string | undefined {
  for (const name of [...REQUEST_ID_HEADERS, ...[...headers.keys()].filter(isRequestIdHeader)]) {
    const value = headers.get(name);
    // Logged and shown: only what looks like an id.
    if (value && /^[\w.:=-]{1,128}$/.test(value)) return value;
  }
  return undefined;
}

/** What an HTTP status says by itself (RFC 9110, 15). */
function byStatus(status: number): ProviderFault | undefined {
  if (status < 300 || status === 304) return undefined;
  if (status < 400)
    return { code: 'provider_bad_answer', retryable: false, detail: 'The provider sent us to another address, which we do not follow.' };
  if (status >= 500) return { code: status === 504 ? 'provider_timeout' : 'provider_unavailable' };
  switch (status) {
    case 401:
      return { code: 'needs_reauth', tokenExpired: true };
    case 403:
      return { code: 'provider_forbidden' };
    case 404:
    case 410:
      return { code: 'provider_not_found' };
    case 408:
    case 425:
      return { code: 'provider_unavailable' };
    case 409:
    case 412:
      return { code: 'provider_conflict' };
    case 429:
      return { code: 'provider_rate_limited' };
    default:
      return { code: 'provider_rejected' };
  }
}
