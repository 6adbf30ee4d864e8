import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RawDelivery, Verdict } from '../../contract';
import type { SchemeOf } from './signature-scheme';
import { GOOD, refused, single } from './verification';

/** The secret itself in a header: hashed before it is compared, so that its length takes no time. */
export function verifyToken(delivery: RawDelivery, secrets: readonly string[], { header: name, prefix = '' }: SchemeOf<'token'>): Verdict {
  const header = single(delivery, name);
  if (header === undefined || header === '') return refused('no_signature');
  if (header === null || !header.startsWith(prefix)) return refused('malformed_signature');
  const given = digestOf(header.slice(prefix.length));
  return secrets.map((secret) => timingSafeEqual(digestOf(secret), given)).some(Boolean) ? GOOD : refused('wrong_token');
}

function digestOf(text: string): Buffer {
  return createHmac('sha256', 'token').update(text).digest();
}
