import { Inject, Injectable } from '@nestjs/common';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import { ROLES, type Principal } from './principal';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- eighty files, loaded with the first token
const jose = () => require('jose') as typeof import('jose');

const CLOCK_TOLERANCE_S = 5;
const MAX_TOKEN_LENGTH = 8_192;
const JWKS = { timeoutDuration: 5_000, cooldownDuration: 30_000, cacheMaxAge: 10 * 60_000 };

/** The token chooses among these only; a public key is never used as an HMAC secret (https://www.rfc-editor.org/rfc/rfc8725#section-3.1). */
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** Ids end up in rows, keys and log lines: one line, no control characters. */
const name = z
  .string()
  .min(1)
  .max(255)
  .regex(/^\P{Cc}+$/u);
const claims = z.object({ sub: name, tenant: name, role: z.enum(ROLES).default('user'), exp: z.number() });

/** Turns an access token of the product's backend into a `Principal`. */
@Injectable()
export class TokenVerifier {
  private readonly secret: Uint8Array | undefined;
  private readonly remoteKeys: JWTVerifyGetKey | undefined;

  constructor(
    @Inject(SETTINGS) settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.secret = settings.apiJwtSecret ? new TextEncoder().encode(settings.apiJwtSecret) : undefined;
    this.remoteKeys = settings.apiJwksUrl ? jose().createRemoteJWKSet(new URL(settings.apiJwksUrl), JWKS) : undefined;
  }

  /** @throws IntegrationError `unauthorized`, or `sign_in_unavailable` where the keys cannot be fetched */
  async verify(token: string): Promise<Principal> {
    return (await this.verifyFully(token)).caller;
  }

  /** As `verify`, with when the token ends (ms since the epoch). */
  async verifyFully(token: string): Promise<{ caller: Principal; expiresAt: number }> {
    if (token.length > MAX_TOKEN_LENGTH) throw new IntegrationError('unauthorized');
    const parsed = claims.safeParse(await this.payload(token));
    if (!parsed.success) throw new IntegrationError('unauthorized', { cause: parsed.error });
    const { sub, tenant, role, exp } = parsed.data;
    return { caller: { tenant, userId: sub, role }, expiresAt: exp * 1_000 };
  }

  /** The caller of an `Authorization: Bearer` header: the only place where the API looks for a token. */
  async callerOf(authorization: string | undefined): Promise<Principal> {
    const [, token] = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+) *$/i.exec(authorization ?? '') ?? [];
    if (!token) throw new IntegrationError('unauthorized');
    return this.verify(token);
  }

  private async payload(token: string): Promise<JWTPayload> {
    const options = {
      currentDate: new Date(this.clock.now()),
      clockTolerance: CLOCK_TOLERANCE_S,
      requiredClaims: ['sub', 'tenant', 'exp'],
    };
    const { decodeProtectedHeader, jwtVerify } = jose();
    try {
      const { alg } = decodeProtectedHeader(token);
      if (alg === 'HS256' && this.secret) return (await jwtVerify(token, this.secret, { ...options, algorithms: ['HS256'] })).payload;
      if (alg !== 'HS256' && this.remoteKeys)
        return (await jwtVerify(token, this.remoteKeys, { ...options, algorithms: ASYMMETRIC })).payload;
    } catch (cause) {
      if (isKeyServerFault(cause)) throw new IntegrationError('sign_in_unavailable', { retryAfterMs: 5_000, cause });
      throw new IntegrationError('unauthorized', { cause });
    }
    throw new IntegrationError('unauthorized');
  }
}

/** jose names what is wrong with a token by classes of its own; what is left are the network's and the key server's faults. */
function isKeyServerFault(error: unknown): boolean {
  const { errors } = jose();
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true;
  if (error instanceof errors.JOSEError) return error.code === 'ERR_JOSE_GENERIC';
  return !(error instanceof TypeError);
}
