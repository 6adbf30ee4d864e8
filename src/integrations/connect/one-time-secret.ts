import { createHash, randomBytes } from 'node:crypto';

/** What `newSecret` makes: 256 bits as 43 characters. Anything else cannot be one of ours. */
export const SECRET_SHAPE = /^[A-Za-z0-9_-]{43}$/;

export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Only this is stored. A plain SHA-256 will do for 256 random bits. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
