import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { EncryptionKey } from '../../../config/env';
import { IntegrationError } from '../../../errors';
import { rememberToken } from '../../../redaction';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
const TEXT = /^v1:([A-Za-z0-9_-]{1,32}):([A-Za-z0-9_-]+)$/;

/** Why a secret does not open. `altered` also stands for moved to another place. */
export class UnreadableSecret extends Error {
  override readonly name = 'UnreadableSecret';
  constructor(
    readonly reason: 'missing_key' | 'altered',
    why: string,
  ) {
    super(`The stored secret cannot be read: ${why}.`);
  }
}

/**
 * AES-256-GCM for what is stored. A secret reads `v1:<keyId>:<base64url(iv | tag | ciphertext)>` and is bound to its place:
 * moved to another row or field, or named after another key, it does not open.
 */
export class SecretBox {
  private readonly keys: ReadonlyMap<string, Buffer>;
  /** New secrets are encrypted with this key. */
  readonly primaryKeyId: string;

  /** The first key is the primary. */
  constructor(keys: readonly EncryptionKey[]) {
    const [primary] = keys;
    if (!primary) throw new Error('SecretBox needs at least one key.');
    this.primaryKeyId = primary.id;
    this.keys = new Map(keys.map(({ id, key }) => [id, key]));
  }

  get keyIds(): string[] {
    return [...this.keys.keys()];
  }

  /** @param binding where the secret belongs; make it with `bindingOf` */
  encrypt(plain: string, binding: string): string {
    return this.encryptWith(this.primaryKeyId, plain, binding);
  }

  /** @throws Error for a key that this process does not hold */
  encryptWith(keyId: string, plain: string, binding: string): string {
    rememberToken(plain);
    const key = this.keys.get(keyId);
    if (!key) throw new Error(`There is no encryption key "${keyId}".`);
    // 96 random bits: with one key good for some 4 billion secrets (NIST SP 800-38D, 8.3), then rotate.
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(boundData(keyId, binding));
    const ciphertext = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
    return `v1:${keyId}:${Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64url')}`;
  }

  /** @throws IntegrationError `decryption_failed`; its cause says why, never with a part of the secret */
  decrypt(text: string, binding: string): string {
    const [, keyId, encoded] = TEXT.exec(text) ?? [];
    if (keyId === undefined || encoded === undefined) throw unreadable('altered', 'it is not of the form v1:<key id>:<data>');
    const key = this.keys.get(keyId);
    if (!key) throw unreadable('missing_key', `it needs the encryption key "${keyId}", which is not in ENCRYPTION_KEYS`);
    const bytes = Buffer.from(encoded, 'base64url');
    // A cut tag is refused here: Node would take one of 4 bytes where no length is demanded.
    if (bytes.length < IV_BYTES + TAG_BYTES) throw unreadable('altered', 'it is cut short');
    const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(boundData(keyId, binding));
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    try {
      const plain = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
      rememberToken(plain);
      return plain;
    } catch {
      throw unreadable('altered', `it was altered, moved, or made with another key than "${keyId}"`);
    }
  }

  /** @throws IntegrationError `decryption_failed` where the text is not ours */
  keyIdOf(text: string): string {
    const keyId = TEXT.exec(text)?.[1];
    if (keyId === undefined) throw unreadable('altered', 'it is not of the form v1:<key id>:<data>');
    return keyId;
  }
}

/** Joins the parts that say where a secret belongs; no two lists of parts give the same text. */
export function bindingOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

function boundData(keyId: string, binding: string): Buffer {
  return Buffer.from(`trestle|v1|${keyId}|${binding}`);
}

function unreadable(reason: UnreadableSecret['reason'], why: string): IntegrationError {
  return new IntegrationError('decryption_failed', { cause: new UnreadableSecret(reason, why) });
}
