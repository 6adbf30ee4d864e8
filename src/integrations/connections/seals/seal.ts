import { findIntegrationError } from '../../../errors';
import { UnreadableSecret, type SecretBox } from '../tokens/secret-box';

/** Nothing is hidden in a seal: it is the proof alone. */
const NOTHING = '';

/** An empty secret that is bound to what it stands over: only who holds a key can make one. */
export function sealOver(secrets: SecretBox, binding: string): string {
  return secrets.encrypt(NOTHING, binding);
}

/** @throws IntegrationError `decryption_failed` where the key is missing that sealed it */
export function isSealOver(secrets: SecretBox, seal: string, binding: string): boolean {
  try {
    secrets.decrypt(seal, binding);
    return true;
  } catch (error) {
    const cause = findIntegrationError(error)?.cause;
    if (cause instanceof UnreadableSecret && cause.reason === 'altered') return false;
    throw error;
  }
}
