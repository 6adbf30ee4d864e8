import { createHash } from 'node:crypto';
import type { JWTVerifyGetKey } from 'jose';
import { IntegrationError } from '../../../errors';
import type { RawDelivery, RefusalCause, Verdict } from '../../contract';
import { GOOD, refused, single } from './verification';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- eighty files, loaded with the first push
const jose = () => require('jose') as typeof import('jose');

export interface JwksFacts {
  /** Where the issuer publishes its keys. */
  readonly jwksUrl: string;
  readonly issuers: readonly string[];
  /** Whom the token must be for; none: every delivery is refused. */
  readonly audience?: string;
  /** What else it must say; one that is undefined: every delivery is refused. */
  readonly claims: Readonly<Record<string, string | boolean | undefined>>;
  /** Default `authorization`. */
  readonly header?: string;
  /** Claim that holds the body's SHA-256 in hexadecimal. */
  readonly bodyHash?: string;
  /** Default RS256. */
  readonly algorithm?: 'RS256' | 'ES256';
}

const BEARER = /^Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i;
const BARE = /^([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/;
const MAX_TOKEN_CHARS = 8_192;
const JWKS = { timeoutDuration: 5_000, cooldownDuration: 30_000, cacheMaxAge: 600_000 };
const CLOCK_TOLERANCE_S = 60;

/** A token that the sender's issuer signed, `Authorization: Bearer <JWT>` and RS256 where nothing else is said. Holds the keys, so make one and keep it. */
export class JwksVerifier {
  private keys: JWTVerifyGetKey | undefined;

  constructor(
    private readonly facts: JwksFacts,
    /** Instead of fetching them. */
    keys?: JWTVerifyGetKey,
  ) {
    this.keys = keys;
  }

  get configured(): boolean {
    return Boolean(this.facts.audience) && Object.values(this.facts.claims).every((claim) => claim !== undefined && claim !== '');
  }

  /** @throws IntegrationError `provider_unavailable` where the keys cannot be fetched: the delivery is worth sending again */
  async verify(delivery: RawDelivery): Promise<Verdict> {
    const { audience, issuers, jwksUrl, claims, bodyHash, header: name = 'authorization', algorithm = 'RS256' } = this.facts;
    if (!audience || !this.configured) return refused('no_secret');
    const header = single(delivery, name);
    if (header === undefined || header === '') return refused('no_signature');
    const [, token] = (name === 'authorization' ? BEARER : BARE).exec(header ?? '') ?? [];
    if (!token || token.length > MAX_TOKEN_CHARS) return refused('malformed_signature');
    const { createRemoteJWKSet, jwtVerify } = jose();
    this.keys ??= createRemoteJWKSet(new URL(jwksUrl), JWKS);
    try {
      const { payload } = await jwtVerify(token, this.keys, {
        algorithms: [algorithm],
        audience,
        issuer: [...issuers],
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(delivery.receivedAt),
        requiredClaims: ['exp', 'iat'],
      });
      const hash = bodyHash === undefined ? undefined : createHash('sha256').update(delivery.body).digest('hex');
      if (bodyHash !== undefined && payload[bodyHash] !== hash) return refused('wrong_signature');
      return Object.entries(claims).every(([name, value]) => payload[name] === value) ? GOOD : refused('wrong_token');
    } catch (error) {
      return refused(causeOf(error));
    }
  }
}

function causeOf(error: unknown): RefusalCause {
  const { errors } = jose();
  if (error instanceof errors.JWTExpired) return 'clock_skew';
  if (error instanceof errors.JWTClaimValidationFailed)
    return error.claim === 'nbf' || error.claim === 'iat' ? 'clock_skew' : 'wrong_token';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed) return 'wrong_signature';
  // Other causes that jose names lie in the token; what is left lies between us and the keys.
  const ofTheToken = [
    errors.JWSInvalid,
    errors.JWTInvalid,
    errors.JOSEAlgNotAllowed,
    errors.JOSENotSupported,
    errors.JWKSMultipleMatchingKeys,
  ];
  if (ofTheToken.some((kind) => error instanceof kind)) return 'malformed_signature';
  throw new IntegrationError('provider_unavailable', { cause: error, retryAfterMs: 5_000 });
}
