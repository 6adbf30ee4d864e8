import { isRequestIdHeader } from '../../outbound';

/** Ours, the connection's, or of this hop only (RFC 9110, 7.6.1): never handed on. */
const REQUEST_STRIPPED = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'expect',
  'authorization',
  'cookie',
  'accept-encoding',
  'forwarded',
  'via',
  'x-real-ip',
  'origin',
  'referer',
  'x-request-id',
  // The caller's is ours to keep; the provider gets one of its own.
  'idempotency-key',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-csrf-token',
  'traceparent',
  'tracestate',
  'baggage',
]);
const REQUEST_STRIPPED_PREFIXES = ['x-forwarded-', 'sec-', 'cf-', 'proxy-'];

/** What an API's answer says that is of use to the caller. All else stays here, `Set-Cookie` first of all. */
const RESPONSE_ALLOWED = new Set([
  'content-type',
  'content-language',
  'content-range',
  'accept-ranges',
  'etag',
  'last-modified',
  'link',
  'retry-after',
  'deprecation',
  'sunset',
]);
const RESPONSE_ALLOWED_PREFIXES = ['x-ratelimit-', 'ratelimit'];

export type IncomingHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export function proxyRequestHeaders(incoming: IncomingHeaders): Headers {
  const named = new Set(
    [incoming['connection'] ?? []].flat().flatMap((value) =>
      value
        .toLowerCase()
        .split(',')
        .map((name) => name.trim()),
    ),
  );
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming)) {
    if (
      value === undefined ||
      REQUEST_STRIPPED.has(name) ||
      named.has(name) ||
      REQUEST_STRIPPED_PREFIXES.some((prefix) => name.startsWith(prefix))
    )
      continue;
    for (const each of [value].flat()) headers.append(name, each);
  }
  return headers;
}

export function proxyResponseHeaders(headers: Headers): Record<string, string> {
  const allowed = [...headers].filter(
    ([name]) =>
      RESPONSE_ALLOWED.has(name) || isRequestIdHeader(name) || RESPONSE_ALLOWED_PREFIXES.some((prefix) => name.startsWith(prefix)),
  );
  // A provider's page must never act as one of ours.
  return {
    ...Object.fromEntries(allowed),
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'cache-control': 'no-store',
  };
}
