import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { hashPrefix } from '../random';
import type { Json } from '../sandbox.types';

interface SigningKey {
  privateKey: KeyObject;
  publicKey: KeyObject;
  kid: string;
}

/** One key for each name in a process: making one takes a good part of a second on a busy machine. */
const keys = new Map<string, SigningKey>();

/** An RS256 key with its JWKS; made when it is first needed. */
export class JwtSigner {
  constructor(private readonly name: string) {}

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

  private key(): SigningKey {
    let key = keys.get(this.name);
    if (!key) {
      const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      key = { privateKey, publicKey, kid: hashPrefix(publicKey.export({ format: 'der', type: 'spki' }).toString('base64')) };
      keys.set(this.name, key);
    }
    return key;
  }
}
