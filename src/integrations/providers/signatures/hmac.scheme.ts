import { timeOf } from '../../../time-of';
import type { RawDelivery, Verdict } from '../../contract';
import { pointed } from '../pointed';
import type { SchemeOf } from './signature-scheme';
import { base64Bytes, DIGEST_BYTES, GOOD, hexBytes, matchesHmac, MAX_SIGNATURES, refused, single, timestampFault } from './verification';

/**
 * An HMAC over what the scheme says; several signatures are separated by commas, or stand as parts of one header.
 *
 * @param url the whole address that the delivery came to
 */
export function verifyHmac(delivery: RawDelivery, secrets: readonly string[], scheme: Omit<SchemeOf<'hmac'>, 'kind'>, url = ''): Verdict {
  if (secrets.length === 0) return refused('no_secret');
  const { encoding = 'hex', algorithm = 'sha256', prefix = '', signed = '{body}', parts } = scheme;
  const header = single(delivery, scheme.header);
  if (header === undefined || header === '') return refused('no_signature');
  if (header === null) return refused('malformed_signature');
  const fields = parts ? partsOf(header) : undefined;
  const timestamp = parts ? only(fields ?? [], parts.timestamp) : scheme.timestamp && timeIn(delivery, scheme.timestamp);
  if ((parts || scheme.timestamp) && typeof timestamp !== 'string') return refused('malformed_signature');
  const fault = typeof timestamp === 'string' ? timestampFault(inSeconds(timestamp, scheme.timestampAs), delivery.receivedAt) : undefined;
  if (fault === 'malformed_signature') return refused(fault);
  const texts = parts
    ? (fields ?? []).filter(([name]) => name === parts.signature).map(([, value]) => value)
    : header.split(',', MAX_SIGNATURES).map((part) => part.trim());
  const decode = encoding === 'hex' ? hexBytes : base64Bytes;
  const signatures = texts
    .map((text) => (text.startsWith(prefix) ? decode(text.slice(prefix.length), DIGEST_BYTES[algorithm]) : undefined))
    .filter((bytes) => bytes !== undefined);
  if (signatures.length === 0) return refused('malformed_signature');
  const known = { '{body}': delivery.body, '{url}': url, '{method}': delivery.method ?? 'POST', '{timestamp}': timestamp ?? '' };
  const pieces = signed.split(/(\{[\w:-]+\})/).map((piece) => {
    if (piece.startsWith('{header:')) return single(delivery, piece.slice(8, -1)) ?? '';
    return Object.hasOwn(known, piece) ? known[piece as keyof typeof known] : piece;
  });
  const keys = secrets.map((secret) => (scheme.secretAs && scheme.secretAs !== 'text' ? Buffer.from(secret, scheme.secretAs) : secret));
  if (!matchesHmac({ secrets: keys, parts: pieces, signatures, algorithm })) return refused('wrong_signature');
  return fault ? refused(fault) : GOOD;
}

/** In a header, or in the JSON: what is signed is known only after it was read, so nothing of it but the time is looked at. */
function timeIn(delivery: RawDelivery, place: string): string | undefined | null {
  if (!place.startsWith('/')) return single(delivery, place);
  try {
    const value = pointed(JSON.parse(delivery.body.toString('utf8')), place);
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  } catch {
    return undefined;
  }
}

/** `t=1,v1=abc`, and no more of them than a roll of secrets needs. The limit counts items, so that a long header costs nothing. */
function partsOf(header: string): [string, string][] {
  return header.split(',', MAX_SIGNATURES + 1).map((part) => {
    const at = part.indexOf('=');
    return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
  });
}

/** A part that stands twice is none: which of them was signed? */
function only(fields: readonly [string, string][], name: string): string | undefined {
  const values = fields.filter(([key]) => key === name);
  return values.length === 1 ? values[0]?.[1] : undefined;
}

function inSeconds(timestamp: string, as: 's' | 'ms' | 'iso' = 's'): string {
  if (as === 'iso') return String(Math.floor(timeOf(timestamp) / 1000));
  return as === 'ms' && /^\d{4,16}$/.test(timestamp) ? timestamp.slice(0, -3) : timestamp;
}
