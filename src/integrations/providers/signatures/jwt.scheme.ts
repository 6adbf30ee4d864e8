import { createHash } from 'node:crypto';
import type { RawDelivery, Verdict } from '../../contract';
import type { SchemeOf } from './signature-scheme';
import { base64Bytes, GOOD, matchesHmac, refused, single, timestampFault } from './verification';

/** A JWT signed with the secret (HS256); `bodyHash` names the claim that holds the body's SHA-256. */
export function verifyJwt(delivery: RawDelivery, secrets: readonly string[], scheme: SchemeOf<'jwt'>): Verdict {
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
