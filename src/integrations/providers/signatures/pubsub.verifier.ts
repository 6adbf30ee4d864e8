import type { JWTVerifyGetKey } from 'jose';
import { IntegrationError } from '../../../errors';
import type { RawDelivery, RefusalCause, Verdict } from '../../contract';
import { GOOD, refused, single } from './verification';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- eighty files, loaded with the first push
const jose = () => require('jose') as typeof import('jose');

export interface PubsubFacts {
  /** What the push subscription was told to name; none: every delivery is refused. */
  readonly audience?: string;
  /** Service account that the subscription pushes as. */
  readonly email?: string;
  /** Default: Google's. */
  readonly jwksUrl?: string;
  /** Default: Google's two spellings. */
  readonly issuers?: readonly string[];
}

const GOOGLE_JWKS_URL = 'https://www.googleapis.com/oauth2/v3/certs';
const GOOGLE_ISSUERS = ['https://accounts.google.com', 'accounts.google.com'];
const MAX_TOKEN_CHARS = 8_192;
const JWKS = { timeoutDuration: 5_000, cooldownDuration: 30_000, cacheMaxAge: 600_000 };
const CLOCK_TOLERANCE_S = 60;

/**
 * The OIDC token of a Pub/Sub push, `Authorization: Bearer <JWT>`
 * (https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions). Holds the keys, so make one and keep it.
 */
export class PubsubVerifier {
  private keys: JWTVerifyGetKey | undefined;

  constructor(
    private readonly facts: PubsubFacts,
    /** Instead of fetching them. */
    keys?: JWTVerifyGetKey,
  ) {
    this.keys = keys;
  }

  get configured(): boolean {
    return Boolean(this.facts.audience && this.facts.email);
  }

  /** @throws IntegrationError `provider_unavailable` where the keys cannot be fetched: the delivery is worth sending again */
  async verify(delivery: RawDelivery): Promise<Verdict> {
    const { audience, email, issuers = GOOGLE_ISSUERS } = this.facts;
    if (!audience || !email) return refused('no_secret');
    const header = single(delivery, 'authorization');
    if (header === undefined || header === '') return refused('no_signature');
    const [, token] = /^Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i.exec(header ?? '') ?? [];
    if (!token || token.length > MAX_TOKEN_CHARS) return refused('malformed_signature');
    const { createRemoteJWKSet, jwtVerify } = jose();
    this.keys ??= createRemoteJWKSet(new URL(this.facts.jwksUrl ?? GOOGLE_JWKS_URL), JWKS);
    try {
      const { payload } = await jwtVerify(token, this.keys, {
        algorithms: ['RS256'],
        audience,
        issuer: [...issuers],
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(delivery.receivedAt),
        requiredClaims: ['exp', 'iat'],
      });
      return payload['email'] === email && payload['email_verified'] === true ? GOOD : refused('wrong_token');
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
