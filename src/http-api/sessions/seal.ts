import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ROLES } from '../principal/principal';

/** A cookie is not a code, nor a code a token. */
export type SealPurpose = 'sign-in-code' | 'session-cookie' | 'news-cookie' | 'browser-token';

export const sealedSession = z.strictObject({
  id: z.string(),
  tenant: z.string(),
  userId: z.string(),
  role: z.enum(ROLES),
  /** When the session ends at the latest, ms since the epoch. */
  endsAt: z.number(),
  /** When this text opens nothing any more, ms since the epoch. */
  expiresAt: z.number(),
  returnTo: z.string().optional(),
});
export type SealedSession = z.infer<typeof sealedSession>;

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MAX_LENGTH = 8_192;

/** Encrypts and authenticates what a browser carries, with keys that the database does not know. */
export class Seal<T> {
  private readonly keys: readonly Buffer[];

  /**
   * @param secrets the first seals; the others still open what was sealed before they were rotated away
   * @param shape of what is sealed
   */
  constructor(
    secrets: readonly Buffer[],
    private readonly shape: z.ZodType<T>,
  ) {
    this.keys = secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', 'trestle browser sessions', 32)));
  }

  close(content: T, purpose: SealPurpose): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.keys[0] as Buffer, nonce).setAAD(Buffer.from(purpose));
    const text = Buffer.concat([cipher.update(JSON.stringify(content), 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url');
  }

  /** undefined where it was not sealed here for this purpose. */
  open(text: string, purpose: SealPurpose): T | undefined {
    if (text.length > MAX_LENGTH || !/^[\w-]+$/.test(text)) return undefined;
    const bytes = Buffer.from(text, 'base64url');
    if (bytes.length <= NONCE_BYTES + TAG_BYTES) return undefined;
    for (const key of this.keys) {
      const content = this.shape.safeParse(opened(key, bytes, purpose)).data;
      if (content !== undefined) return content;
    }
    return undefined;
  }
}

function opened(key: Buffer, bytes: Buffer, purpose: SealPurpose): unknown {
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  try {
    const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    return JSON.parse(text.toString('utf8'));
  } catch {
    return undefined; // another key, another purpose, or nothing of ours
  }
}
