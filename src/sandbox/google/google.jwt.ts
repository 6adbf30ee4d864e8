import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { hashPrefix } from '../random';
import type { Json } from '../sandbox.types';

/** An RS256 key with its JWKS; made when it is first needed. */
export class JwtSigner {
  private pair: { privateKey: KeyObject; publicKey: KeyObject; kid: string } | null = null;

  sign(claims: Json): string {
    const { privateKey, kid } = this.key();
    const part = (value: Json): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const input = `${part({ alg: 'RS256', kid, typ: 'JWT' })}.${part(claims)}`;
    return `${input}.${sign('RSA-SHA256', Buffer.from(input), privateKey).toString('base64url')}`;
  }

  jwks(): Json {
    const { publicKey, kid } = this.key();
    return { keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }] };
  }

  private key(): { privateKey: KeyObject; publicKey: KeyObject; kid: string } {
    if (!this.pair) {
      const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      this.pair = { privateKey, publicKey, kid: hashPrefix(publicKey.export({ format: 'der', type: 'spki' }).toString('base64')) };
    }
    return this.pair;
  }
}
