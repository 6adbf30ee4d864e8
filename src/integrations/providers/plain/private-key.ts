import { createPrivateKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';

/** What signs less is refused by who verifies. */
const LEAST_BITS = 2_048;

/** An RSA key, PKCS#1 or PKCS#8: as PEM, its line breaks written `\\n` or as they are, or the base64 of that, which stands on one line. */
export const privateKeyVariable = () =>
  z
    .string()
    .optional()
    .transform((text, context): KeyObject | undefined => {
      if (text === undefined) return undefined;
      const key = rsaKeyIn(text);
      if (!key) context.addIssue(`must be an RSA private key of ${LEAST_BITS} bits or more without a password: PEM, or the base64 of it`);
      return key;
    });

function rsaKeyIn(text: string): KeyObject | undefined {
  const isPem = text.includes('-----BEGIN');
  const pem = (isPem ? text : Buffer.from(text, 'base64').toString('utf8')).replaceAll('\\n', '\n').trim();
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= LEAST_BITS ? key : undefined;
  } catch {
    return undefined;
  }
}
