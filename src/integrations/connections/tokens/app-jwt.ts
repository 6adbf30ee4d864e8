import { SignJWT } from 'jose';
import type { AppByKey } from '../../contract';

/** A clock that is behind ours takes it all the same. */
const SKEW_S = 60;
/** Ten minutes are the longest that is taken, by the provider's own clock. */
const LIFE_S = 9 * 60;

/** What an app shows itself with, for one call. */
export function appJwt({ clientId, privateKey }: AppByKey, nowMs: number): Promise<string> {
  const now = Math.floor(nowMs / 1_000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(clientId)
    .setIssuedAt(now - SKEW_S)
    .setExpirationTime(now + LIFE_S)
    .sign(privateKey);
}
