import { createPublicKey, verify as verifyWithKey, type KeyObject } from 'node:crypto';
import type { RawDelivery, Verdict } from '../../contract';
import type { SchemeOf } from './signature-scheme';
import { base64Bytes, GOOD, hexBytes, refused, single, timestampFault } from './verification';

/** Over the timestamp and the body, with the public key that stands in the settings. */
export function verifyByKey(delivery: RawDelivery, keys: readonly string[], scheme: SchemeOf<'ed25519'> | SchemeOf<'ecdsa'>): Verdict {
  const header = single(delivery, scheme.header);
  const timestamp = single(delivery, scheme.timestamp);
  if (header === undefined || header === '') return refused('no_signature');
  if (header === null || typeof timestamp !== 'string') return refused('malformed_signature');
  const fault = timestampFault(timestamp, delivery.receivedAt);
  if (fault === 'malformed_signature') return refused(fault);
  const signature =
    scheme.kind === 'ecdsa'
      ? /^[A-Za-z0-9+/]{8,200}={0,2}$/.test(header) && Buffer.from(header, 'base64')
      : scheme.encoding === 'base64'
        ? base64Bytes(header, 64)
        : hexBytes(header, 64);
  if (!signature) return refused('malformed_signature');
  const signed = Buffer.concat([Buffer.from(timestamp), delivery.body]);
  const algorithm = scheme.kind === 'ecdsa' ? 'sha256' : null;
  const matches = keys.map((key) => publicKeyOf(key, scheme.kind)).some((key) => key && verifyWithKey(algorithm, signed, key, signature));
  if (!matches) return refused('wrong_signature');
  return fault ? refused(fault) : GOOD;
}

const ED25519_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const publicKeys = new Map<string, KeyObject | undefined>();

/** Ed25519 as 32 bytes in hexadecimal, ECDSA as base64 of the DER: as the providers' pages show them. */
function publicKeyOf(text: string, kind: 'ed25519' | 'ecdsa'): KeyObject | undefined {
  if (!publicKeys.has(text)) {
    const der = kind === 'ed25519' ? Buffer.concat([ED25519_PREFIX, Buffer.from(text, 'hex')]) : Buffer.from(text, 'base64');
    try {
      publicKeys.set(text, createPublicKey({ key: der, format: 'der', type: 'spki' }));
    } catch {
      publicKeys.set(text, undefined);
    }
  }
  return publicKeys.get(text);
}
