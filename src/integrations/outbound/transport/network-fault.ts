import { IntegrationError } from '../../../errors';

/** The connection never stood: nothing was sent. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

const TOO_SLOW = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);

/** Puts a failure of the network into our words. What may have arrived counts as perhaps done. */
export function networkFault(provider: string, error: unknown): IntegrationError {
  const known = inside(error);
  if (known) return known;
  const codes = codesOf(error);
  const notExecuted = codes.some((code) => NEVER_SENT.has(code)) && !codes.includes('ECONNRESET');
  if (codes.some((code) => code.startsWith('HPE_'))) {
    // The parser's error carries what it was given, a token perhaps: it is not kept.
    return new IntegrationError('provider_bad_answer', { provider });
  }
  return new IntegrationError(codes.some((code) => TOO_SLOW.has(code)) ? 'provider_timeout' : 'provider_unavailable', {
    provider,
    notExecuted,
    detail: notExecuted ? 'The provider cannot be reached at the moment.' : undefined,
    cause: error,
  });
}

/** A refused address comes out of the connector, wrapped by the client. */
function inside(error: unknown): IntegrationError | undefined {
  for (
    let at: unknown = error, depth = 0;
    typeof at === 'object' && at !== null && depth < 4;
    at = (at as { cause?: unknown }).cause, depth++
  ) {
    if (at instanceof IntegrationError) return at;
  }
  return undefined;
}

function codesOf(error: unknown, depth = 3): string[] {
  if (depth === 0 || typeof error !== 'object' || error === null) return [];
  const { code, errors, cause } = error as { code?: unknown; errors?: unknown; cause?: unknown };
  const own = typeof code === 'string' ? [code] : [];
  // Several addresses of one host were tried: an AggregateError.
  const inner = Array.isArray(errors) ? errors.flatMap((each) => codesOf(each, depth - 1)) : [];
  return [...own, ...inner, ...codesOf(cause, depth - 1)];
}
