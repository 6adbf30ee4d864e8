import type { RawDelivery, Verdict } from '../../contract';
import { verifyHmac } from './hmac.scheme';
import { verifyJwt } from './jwt.scheme';
import { verifyByKey } from './public-key.scheme';
import type { KeyedScheme } from './signature-scheme';
import { verifyStandardWebhook } from './standard.scheme';
import { verifyToken } from './token.scheme';
import { refused } from './verification';

/**
 * Whether a delivery is signed as its provider's scheme says, in constant time and with any of the secrets.
 *
 * @param url the whole address that the delivery came to, where the scheme signs it
 */
export function verifySigned(delivery: RawDelivery, secrets: readonly string[], scheme: KeyedScheme, url = ''): Verdict {
  if (secrets.length === 0) return refused('no_secret');
  switch (scheme.kind) {
    case 'hmac':
      return verifyHmac(delivery, secrets, scheme, url);
    case 'standard':
      return verifyStandardWebhook(delivery, secrets, scheme.prefix);
    case 'ed25519':
    case 'ecdsa':
      return verifyByKey(delivery, secrets, scheme);
    case 'jwt':
      return verifyJwt(delivery, secrets, scheme);
    case 'token':
      return verifyToken(delivery, secrets, scheme);
  }
}
