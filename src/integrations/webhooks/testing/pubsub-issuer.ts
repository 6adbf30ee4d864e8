import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT, type JWTVerifyGetKey } from 'jose';

export interface PubsubClaims {
  readonly audience: string;
  readonly email: string;
  readonly emailVerified?: boolean;
  readonly issuer?: string;
  /** ms since the epoch. Default: now. */
  readonly at?: number;
}

/** Stands in for Google's token service in tests: its own key, tokens signed with it, and the key set to verify them. */
export class PubsubIssuer {
  private constructor(
    readonly keys: JWTVerifyGetKey,
    /** The JSON of the key set, to be served over HTTP. */
    readonly jwks: { readonly keys: readonly object[] },
    private readonly sign: (claims: PubsubClaims) => Promise<string>,
  ) {}

  static async create(): Promise<PubsubIssuer> {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'test', alg: 'RS256', use: 'sig' }] };
    const sign = ({ audience, email, emailVerified = true, issuer = 'https://accounts.google.com', at = Date.now() }: PubsubClaims) => {
      const seconds = Math.floor(at / 1_000);
      return new SignJWT({ email, email_verified: emailVerified })
        .setProtectedHeader({ alg: 'RS256', kid: 'test', typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject('1')
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + 3_600)
        .sign(privateKey);
    };
    return new PubsubIssuer(createLocalJWKSet(jwks), jwks, sign);
  }

  token(claims: PubsubClaims): Promise<string> {
    return this.sign(claims);
  }
}
