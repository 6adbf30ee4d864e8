import { createHash, createHmac, createPublicKey, timingSafeEqual, verify as verifyWithKey, type KeyObject } from 'node:crypto';
import type { RawDelivery, Verdict } from '../../contract';
import { verifyStandardWebhook } from '../signatures/standard.scheme';
import {
  base64Bytes,
  DIGEST_BYTES,
  GOOD,
  hexBytes,
  matchesHmac,
  MAX_SIGNATURES,
  refused,
  single,
  timestampFault,
} from '../signatures/verification';
import type { PlainScheme } from './plain-provider';

type Of<K extends PlainScheme['kind']> = Extract<PlainScheme, { kind: K }>;

/** @param url the whole address that the delivery came to */
export function verifySigned(delivery: RawDelivery, secrets: readonly string[], scheme: PlainScheme, url: string): Verdict {
  if (secrets.length === 0) return refused('no_secret');
  switch (scheme.kind) {
    case 'hmac':
      return verifyHmacOf(delivery, secrets, scheme, url);
    case 'standard':
      return verifyStandardWebhook(scheme.prefix === undefined ? delivery : renamed(delivery, scheme.prefix), secrets);
    case 'ed25519':
    case 'ecdsa':
      return verifyByKey(delivery, secrets, scheme);
    case 'jwt':
      return verifyJwt(delivery, secrets, scheme);
    case 'token':
      return verifyToken(delivery, secrets, scheme);
  }
}

function verifyHmacOf(delivery: RawDelivery, secrets: readonly string[], scheme: Of<'hmac'>, url: string): Verdict {
  const { encoding = 'hex', algorithm = 'sha256', prefix = '', signed = '{body}', parts } = scheme;
  const header = single(delivery, scheme.header);
  if (header === undefined || header === '') return refused('no_signature');
  if (header === null) return refused('malformed_signature');
  const fields = parts ? partsOf(header) : undefined;
  const timestamp = parts
    ? fields?.find(([name]) => name === parts.timestamp)?.[1]
    : scheme.timestamp && single(delivery, scheme.timestamp);
  if (parts || scheme.timestamp) {
    if (typeof timestamp !== 'string') return refused('malformed_signature');
    const fault = timestampFault(inSeconds(timestamp, scheme.timestampAs), delivery.receivedAt);
    if (fault) return refused(fault);
  }
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
  return matchesHmac({ secrets: keys, parts: pieces, signatures, algorithm }) ? GOOD : refused('wrong_signature');
}

/** `t=1,v1=abc`, and no more of them than a roll of secrets needs. */
function partsOf(header: string): [string, string][] {
  return header.split(',', MAX_SIGNATURES).map((part) => {
    const at = part.indexOf('=');
    return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
  });
}

function inSeconds(timestamp: string, as: 's' | 'ms' | 'iso' = 's'): string {
  if (as === 'iso') return String(Math.floor(Date.parse(timestamp) / 1000));
  return as === 'ms' && /^\d{4,16}$/.test(timestamp) ? timestamp.slice(0, -3) : timestamp;
}

/** Svix and others send the same under headers of their own. */
function renamed(delivery: RawDelivery, prefix: string): RawDelivery {
  const headers = Object.fromEntries(
    ['id', 'timestamp', 'signature'].map((name) => [`webhook-${name}`, delivery.headers[`${prefix}-${name}`]]),
  );
  return { ...delivery, headers };
}

/** Over the timestamp and the body, with the public key that stands in the settings. */
function verifyByKey(delivery: RawDelivery, keys: readonly string[], scheme: Of<'ed25519'> | Of<'ecdsa'>): Verdict {
  const header = single(delivery, scheme.header);
  const timestamp = single(delivery, scheme.timestamp);
  if (header === undefined || header === '') return refused('no_signature');
  if (header === null || typeof timestamp !== 'string') return refused('malformed_signature');
  const fault = timestampFault(timestamp, delivery.receivedAt);
  if (fault) return refused(fault);
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
  return matches ? GOOD : refused('wrong_signature');
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

/** A JWT signed with the secret (HS256); `bodyHash` names the claim that holds the body's SHA-256. */
function verifyJwt(delivery: RawDelivery, secrets: readonly string[], scheme: Of<'jwt'>): Verdict {
  const header = single(delivery, scheme.header);
  if (header === undefined || header === '') return refused('no_signature');
  const [, head = '', payload = '', signature = ''] = /^(?:Bearer )?([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(header ?? '') ?? [];
  const given = base64Bytes(signature, 32);
  const claims = jsonIn(payload);
  if (!given || !claims || jsonIn(head)?.['alg'] !== 'HS256') return refused('malformed_signature');
  if (!matchesHmac({ secrets, parts: [`${head}.${payload}`], signatures: [given] })) return refused('wrong_signature');
  const { exp, iat } = claims;
  const seconds = delivery.receivedAt / 1000;
  if (typeof exp === 'number' ? exp < seconds : timestampFault(String(iat), delivery.receivedAt) !== undefined)
    return refused('clock_skew');
  if (scheme.bodyHash === undefined) return GOOD;
  return claims[scheme.bodyHash] === createHash('sha256').update(delivery.body).digest('hex') ? GOOD : refused('wrong_signature');
}

function jsonIn(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The secret itself in a header: hashed before it is compared, so that its length takes no time. */
function verifyToken(delivery: RawDelivery, secrets: readonly string[], { header: name, prefix = '' }: Of<'token'>): Verdict {
  const header = single(delivery, name);
  if (header === undefined || header === '') return refused('no_signature');
  if (header === null || !header.startsWith(prefix)) return refused('malformed_signature');
  const given = digestOf(header.slice(prefix.length));
  return secrets.map((secret) => timingSafeEqual(digestOf(secret), given)).some(Boolean) ? GOOD : refused('wrong_token');
}

function digestOf(text: string): Buffer {
  return createHmac('sha256', 'token').update(text).digest();
}
