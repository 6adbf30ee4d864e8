import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RawDelivery, RefusalCause, Verdict } from '../../contract';

/** How far a timestamp may lie from our time, on either side, seconds. */
export const TOLERANCE_S = 300;
/** No more signatures of one header are looked at: a roll needs two. */
export const MAX_SIGNATURES = 20;

export const GOOD: Verdict = { ok: true };
export const refused = (cause: RefusalCause): Verdict => ({ ok: false, cause });

type HmacAlgorithm = 'sha256' | 'sha1' | 'sha512';
export const DIGEST_BYTES: Readonly<Record<HmacAlgorithm, number>> = { sha1: 20, sha256: 32, sha512: 64 };

export interface Signed {
  readonly secrets: readonly (string | Buffer)[];
  /** What was signed, in pieces. */
  readonly parts: readonly (string | Buffer)[];
  readonly signatures: readonly Buffer[];
  readonly algorithm?: HmacAlgorithm;
}

/** Whether one of the signatures is one of the secrets' HMAC. Every pair is compared, each in constant time. */
export function matchesHmac({ secrets, parts, signatures, algorithm = 'sha256' }: Signed): boolean {
  let matches = false;
  for (const secret of secrets) {
    const hmac = createHmac(algorithm, secret);
    for (const part of parts) hmac.update(part);
    const expected = hmac.digest();
    for (const signature of signatures) {
      // timingSafeEqual throws on unequal lengths; a length is no secret
      if (signature.length === expected.length && timingSafeEqual(signature, expected)) matches = true;
    }
  }
  return matches;
}

/** The header where it came exactly once, undefined where it did not come, null where it came several times. */
export function single(delivery: RawDelivery, name: string): string | undefined | null {
  const value = delivery.headers[name];
  if (value === undefined || typeof value === 'string') return value;
  return value.length === 1 ? value[0] : null;
}

/** Bytes of a hexadecimal text of exactly this many bytes, undefined for anything else. */
export function hexBytes(text: string, bytes: number): Buffer | undefined {
  return text.length === bytes * 2 && /^[0-9a-f]+$/i.test(text) ? Buffer.from(text, 'hex') : undefined;
}

/** Bytes of a base64 (or base64url) text of exactly this many bytes, undefined for anything else. */
export function base64Bytes(text: string, bytes: number): Buffer | undefined {
  if (text.length > bytes * 2 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return undefined;
  const decoded = Buffer.from(text, 'base64');
  return decoded.length === bytes ? decoded : undefined;
}

/** Why a timestamp in seconds is not acceptable, if it is not. `clock_skew` is told only of what was signed well: strangers must not be able to cause an alert. */
export function timestampFault(text: string, receivedAt: number): RefusalCause | undefined {
  if (!/^\d{1,16}$/.test(text)) return 'malformed_signature';
  return Math.abs(receivedAt / 1_000 - Number(text)) > TOLERANCE_S ? 'clock_skew' : undefined;
}
