import { createHash, timingSafeEqual } from 'node:crypto';

/** The CSRF token of a session: derived from its secret id, so that every page of the session can show it without storing it. */
export function csrfTokenOf(sessionId: string): string {
  return sha256(`csrf|${sessionId}`).toString('base64url');
}

export function hashOf(secret: string): string {
  return sha256(secret).toString('hex');
}

/** Compares in constant time, whatever the lengths. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(sha256(a), sha256(b));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
