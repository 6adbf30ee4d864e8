import { Inject, Injectable } from '@nestjs/common';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import { ROLES, type Principal, type Role } from './principal';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- eighty files, loaded with the first token
const jose = () => require('jose') as typeof import('jose');

const CLOCK_TOLERANCE_S = 5;
const MAX_TOKEN_LENGTH = 8_192;
/** A key that was withdrawn ends within a minute. */
const JWKS = { timeoutDuration: 5_000, cooldownDuration: 10_000, cacheMaxAge: 30_000 };

/** The token chooses among these only; a public key is never used as an HMAC secret (https://www.rfc-editor.org/rfc/rfc8725#section-3.1). */
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** Ids end up in rows, keys and log lines: one line, no control characters. */
const name = z
  .string()
  .min(1)
  .max(255)
  .regex(/^\P{Cc}+$/u);
/** Types of tokens that are access tokens (https://www.rfc-editor.org/rfc/rfc9068#section-2.1); others (ID, logout, security events) are not. */
const ACCESS_TOKEN_TYPES = /^(application\/)?(jwt|at\+jwt)$/i;
const DAY_S = 86_400;

/** Turns an access token of the product's backend into a `Principal`. */
@Injectable()
export class TokenVerifier {
  private readonly secret: Uint8Array | undefined;
  private readonly remoteKeys: JWTVerifyGetKey | undefined;
  private readonly claims: ReturnType<typeof claimsOf>;
  private readonly bounds: TokenBounds;

  constructor(
    @Inject(SETTINGS) settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.secret = settings.apiJwtSecret ? new TextEncoder().encode(settings.apiJwtSecret) : undefined;
    this.bounds = {
      issuer: settings.apiJwtIssuer,
      audience: settings.apiJwtAudience,
      maxLifetimeS: settings.apiJwtMaxLifetimeS ?? DAY_S,
      tenantClaim: settings.apiJwtTenantClaim ?? 'tenant',
    };
    this.claims = claimsOf(this.bounds.tenantClaim, settings.apiJwtRoleClaim ?? 'role');
    this.remoteKeys = settings.apiJwksUrl ? jose().createRemoteJWKSet(new URL(settings.apiJwksUrl), JWKS) : undefined;
  }

  /** @throws IntegrationError `unauthorized`, or `sign_in_unavailable` where the keys cannot be fetched */
  async verify(token: string): Promise<VerifiedCaller> {
    if (token.length > MAX_TOKEN_LENGTH) throw refused('The token is too long.');
    const payload = await this.payload(token);
    const parsed = this.claims.safeParse(payload);
    if (!parsed.success) throw refused(`The token's claim ${parsed.error.issues[0]?.path.join('.') ?? ''} is missing or not usable.`);
    const { sub, tenant, role, exp } = parsed.data;
    this.checkLifetime(exp, payload.iat);
    return { caller: { tenant, userId: sub, role }, expiresAt: exp * 1_000 };
  }

  /** The caller of an `Authorization: Bearer` header: the only place where the API looks for a token. */
  async callerOf(authorization: string | undefined): Promise<VerifiedCaller> {
    const [, token] = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+) *$/i.exec(authorization ?? '') ?? [];
    if (!token) throw refused(authorization ? 'The Authorization header holds no bearer token.' : 'There is no Authorization header.');
    return this.verify(token);
  }

  private async payload(token: string): Promise<JWTPayload> {
    const options = {
      currentDate: new Date(this.clock.now()),
      clockTolerance: CLOCK_TOLERANCE_S,
      requiredClaims: ['sub', this.bounds.tenantClaim, 'exp'],
      ...(this.bounds.issuer !== undefined && { issuer: this.bounds.issuer }),
      ...(this.bounds.audience !== undefined && { audience: this.bounds.audience }),
    };
    const { decodeProtectedHeader, jwtVerify } = jose();
    try {
      const { alg, typ } = decodeProtectedHeader(token);
      if (typ !== undefined && !ACCESS_TOKEN_TYPES.test(String(typ))) throw refused('The token is of another type than an access token.');
      if (alg === 'HS256' && this.secret) return (await jwtVerify(token, this.secret, { ...options, algorithms: ['HS256'] })).payload;
      if (alg !== 'HS256' && this.remoteKeys)
        return (await jwtVerify(token, this.remoteKeys, { ...options, algorithms: ASYMMETRIC })).payload;
    } catch (cause) {
      if (cause instanceof IntegrationError) throw cause;
      if (isKeyServerFault(cause)) throw new IntegrationError('sign_in_unavailable', { retryAfterMs: 5_000, cause });
      throw new IntegrationError('unauthorized', { cause });
    }
    throw refused('The token is signed in a way that is not set up here (API_JWT_SECRET, API_JWKS_URL).');
  }

  /** A token that lives for long, or from the future, is not what the product's backend makes for one request or visit. */
  private checkLifetime(exp: number, issuedAt: number | undefined): void {
    const now = Math.floor(this.clock.now() / 1_000);
    if (issuedAt !== undefined && issuedAt > now + CLOCK_TOLERANCE_S) throw refused('The token was issued in the future.');
    if (exp - (issuedAt ?? now) > this.bounds.maxLifetimeS + CLOCK_TOLERANCE_S)
      throw refused(`The token lives longer than API_JWT_MAX_LIFETIME (${this.bounds.maxLifetimeS} s) allows.`);
  }
}

export interface VerifiedCaller {
  readonly caller: Principal;
  /** When the token ends, ms since the epoch. */
  readonly expiresAt: number;
}

interface TokenBounds {
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  readonly maxLifetimeS: number;
  readonly tenantClaim: string;
}

/** The claims that are used; tenant and role may go by other names. */
function claimsOf(tenantClaim: string, roleClaim: string) {
  return z
    .object({ sub: name, [tenantClaim]: name, exp: z.number(), iat: z.number().optional(), [roleClaim]: z.enum(ROLES).default('user') })
    .transform((read) => ({
      sub: read.sub as string,
      tenant: read[tenantClaim] as string,
      role: read[roleClaim] as Role,
      exp: read.exp as number,
    }));
}

/** The cause is for the log, and for the answer outside production: a caller in production learns nothing from it. */
function refused(cause: string): IntegrationError {
  return new IntegrationError('unauthorized', { cause: new Error(cause) });
}

/** jose names what is wrong with a token by classes of its own; what is left are the network's and the key server's faults. */
function isKeyServerFault(error: unknown): boolean {
  const { errors } = jose();
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true;
  if (error instanceof errors.JOSEError) return error.code === 'ERR_JOSE_GENERIC';
  return !(error instanceof TypeError);
}
