import type { RawDelivery, Verdict } from '../../contract';
import { base64Bytes, DIGEST_BYTES, GOOD, hexBytes, matchesHmac, MAX_SIGNATURES, refused, single, timestampFault } from './verification';

/** Where a provider puts a plain HMAC of the body. */
export interface HmacScheme {
  /** Lower case, e.g. `x-hub-signature-256`. */
  readonly header: string;
  /** Before the signature, e.g. `sha256=`. Default none. */
  readonly prefix?: string;
  /** Default `hex`. */
  readonly encoding?: 'hex' | 'base64';
  /** Default `sha256`. */
  readonly algorithm?: 'sha256' | 'sha1' | 'sha512';
  /** Header with seconds since the epoch; it is then signed as `<timestamp>.<raw body>`. Without one a replay is only caught by the event's id. */
  readonly timestampHeader?: string;
}

/** A plain HMAC over the raw body; several signatures are separated by commas. */
export function verifyHmac(delivery: RawDelivery, secrets: readonly string[], scheme: HmacScheme): Verdict {
  const { prefix = '', encoding = 'hex', algorithm = 'sha256', timestampHeader } = scheme;
  if (secrets.length === 0) return refused('no_secret');
  const header = single(delivery, scheme.header);
  if (header === undefined || header === '') return refused('no_signature');
  if (header === null) return refused('malformed_signature');

  let signedTime = '';
  if (timestampHeader !== undefined) {
    const timestamp = single(delivery, timestampHeader);
    if (typeof timestamp !== 'string') return refused('malformed_signature');
    const fault = timestampFault(timestamp, delivery.receivedAt);
    if (fault) return refused(fault);
    signedTime = `${timestamp}.`;
  }
  const decode = encoding === 'hex' ? hexBytes : base64Bytes;
  const signatures = header
    .split(',', MAX_SIGNATURES)
    .map((part) => part.trim())
    .map((part) => (part.startsWith(prefix) ? decode(part.slice(prefix.length), DIGEST_BYTES[algorithm]) : undefined))
    .filter((bytes) => bytes !== undefined);
  if (signatures.length === 0) return refused('malformed_signature');
  return matchesHmac({ secrets, parts: [signedTime, delivery.body], signatures, algorithm }) ? GOOD : refused('wrong_signature');
}
