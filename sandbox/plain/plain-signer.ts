import { createHash, createHmac } from 'node:crypto';
import { confirmableHeaders } from './plain-confirmation';
import { timeFor } from './plain-events';
import type { Forge } from '../sandbox.types';
import type { PlainWebhooks } from '../../src/integrations/providers/plain/plain-provider';

type SignatureScheme = PlainWebhooks['scheme'];

const MINUTE_MS = 60_000;

export interface Signing {
  readonly secret: string;
  /** The whole address that it goes to. */
  readonly url: string;
  readonly body: string;
  readonly id: string;
  /** When it is signed, ms since the epoch. */
  readonly at: number;
}

/** The headers of a delivery that is signed as the scheme says. @throws Error for a scheme whose private key nobody here has */
export function signedBy(scheme: SignatureScheme, signing: Signing): Record<string, string> {
  const { secret, body, id, at } = signing;
  switch (scheme.kind) {
    case 'hmac':
      return hmacHeaders(scheme, signing);
    case 'standard': {
      const time = String(Math.floor(at / 1000));
      const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
      const signature = `v1,${createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64')}`;
      const { prefix = 'webhook' } = scheme;
      return { [`${prefix}-id`]: id, [`${prefix}-timestamp`]: time, [`${prefix}-signature`]: signature };
    }
    case 'watch':
      return {};
    case 'call':
      return confirmableHeaders(scheme, signing);
    case 'token':
      return { [scheme.header]: `${scheme.prefix ?? ''}${secret}` };
    case 'jwt': {
      const iat = Math.floor(at / 1000);
      const bodyHash = scheme.bodyHash === undefined ? {} : { [scheme.bodyHash]: createHash('sha256').update(body).digest('hex') };
      const signed = [{ alg: 'HS256' }, { iat, ...bodyHash }]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
      const prefix = scheme.header === 'authorization' ? 'Bearer ' : '';
      return { [scheme.header]: `${prefix}${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}` };
    }
    default:
      throw new Error(`Nothing here signs by ${scheme.kind}.`);
  }
}

/** Whether a scheme signs a time, so that what is old can be told from what is new. */
export function signsTime(scheme: SignatureScheme): boolean {
  return scheme.kind === 'hmac' ? (scheme.timestamp ?? scheme.parts) !== undefined : scheme.kind !== 'token' && scheme.kind !== 'watch';
}

/** How far a time has to lie off to be refused, ms: in the past a scheme may take what is older than usual. */
export function offBy(scheme: SignatureScheme, forge: Forge | undefined): number {
  const oldestS = scheme.kind === 'call' ? (scheme.oldestS ?? 0) : 0;
  return forge === 'old-timestamp' ? -oldestS * 1_000 - 10 * MINUTE_MS : forge === 'future-timestamp' ? 10 * MINUTE_MS : 0;
}

function hmacHeaders(scheme: Extract<SignatureScheme, { kind: 'hmac' }>, { secret, url, body, at }: Signing): Record<string, string> {
  const { header, prefix = '', encoding = 'hex', algorithm = 'sha256', signed = '{body}', timestamp, parts } = scheme;
  const time = timeFor(scheme, at);
  const known: Record<string, string> = { '{body}': body, '{url}': url, '{method}': 'POST', '{timestamp}': time };
  const text = signed.replace(/\{\w+\}/g, (piece) => known[piece] ?? piece);
  const key = scheme.secretAs && scheme.secretAs !== 'text' ? Buffer.from(secret, scheme.secretAs) : secret;
  const signature = prefix + createHmac(algorithm, key).update(text).digest(encoding);
  if (parts) return { [header]: `${parts.timestamp}=${time},${parts.signature}=${signature}` };
  return { [header]: signature, ...(timestamp !== undefined && !timestamp.startsWith('/') && { [timestamp]: time }) };
}
