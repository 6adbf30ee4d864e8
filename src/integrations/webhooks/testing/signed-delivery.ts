import { createHmac } from 'node:crypto';
import { signStandardWebhook } from '../../providers/signatures/standard-webhook.signer';
import type { RawDelivery } from '../../contract';
import type { SchemeOf } from '../../providers/signatures/signature-scheme';

/** A delivery as a provider would send it: what to POST. */
export interface SignedDelivery {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

interface Common {
  /** JSON is made of anything but a string or a Buffer. */
  readonly body?: unknown;
  /** When it is signed, ms since the epoch. Default: now. */
  readonly at?: number;
}

/** Which provider's way, and what it needs. Several secrets: signed with each, as during a roll (Stripe, Standard Webhooks). */
export type DeliveryOptions =
  | (Common & { readonly as: 'stripe'; readonly secret: string | readonly string[] })
  | (Common & { readonly as: 'slack'; readonly secret: string })
  | (Common & { readonly as: 'standard'; readonly secret: string | readonly string[]; readonly id: string })
  | (Common & { readonly as: 'hmac'; readonly secret: string; readonly scheme: HmacScheme })
  | (Common & {
      readonly as: 'google-channel';
      readonly channelId: string;
      readonly token: string;
      readonly resourceId: string;
      readonly state?: string;
      readonly messageNumber?: number;
    })
  | (Common & { readonly as: 'pubsub'; readonly token: string });

type HmacScheme = Omit<SchemeOf<'hmac'>, 'kind' | 'parts'>;

const JSON_TYPE = { 'content-type': 'application/json' };

/** A delivery that is signed as this provider signs, for tests: `signedDelivery({ as: 'stripe', secret, body: event })`. */
export function signedDelivery(options: DeliveryOptions): SignedDelivery {
  const body = bytesOf(options.body);
  const at = options.at ?? Date.now();
  switch (options.as) {
    case 'stripe':
      return { body, headers: { ...JSON_TYPE, 'stripe-signature': signStripe(body, options.secret, at) } };
    case 'slack':
      return { body, headers: { ...JSON_TYPE, ...signSlack(body, options.secret, at) } };
    case 'standard':
      return { body, headers: { ...JSON_TYPE, ...signStandardWebhook({ id: options.id, body, secret: options.secret, timestampMs: at }) } };
    case 'hmac':
      return { body, headers: { ...JSON_TYPE, ...signHmac(body, options.secret, options.scheme, at) } };
    case 'google-channel':
      return { body: Buffer.alloc(0), headers: channelHeaders(options) };
    case 'pubsub':
      return { body, headers: { ...JSON_TYPE, authorization: `Bearer ${options.token}` } };
  }
}

/** The same as the inbox gets it. */
export function rawDelivery({ headers, body }: SignedDelivery, receivedAt = Date.now()): RawDelivery {
  return { headers, body, receivedAt };
}

/** The header `Stripe-Signature`. */
export function signStripe(body: string | Buffer, secret: string | readonly string[], at: number): string {
  const seconds = secondsOf(at);
  return [
    `t=${seconds}`,
    ...[secret].flat().map((each) => `v1=${createHmac('sha256', each).update(`${seconds}.`).update(body).digest('hex')}`),
  ].join(',');
}

export function signSlack(body: string | Buffer, secret: string, at: number): Record<string, string> {
  const seconds = secondsOf(at);
  const signature = createHmac('sha256', secret).update(`v0:${seconds}:`).update(body).digest('hex');
  return { 'x-slack-signature': `v0=${signature}`, 'x-slack-request-timestamp': seconds };
}

export function signHmac(body: string | Buffer, secret: string, scheme: HmacScheme, at: number): Record<string, string> {
  const { header, prefix = '', encoding = 'hex', algorithm = 'sha256', timestamp, signed = '{body}' } = scheme;
  const seconds = secondsOf(at);
  const hmac = createHmac(algorithm, secret);
  for (const piece of signed.split(/(\{body\})/)) hmac.update(piece === '{body}' ? body : piece.replace('{timestamp}', seconds));
  return { [header]: prefix + hmac.digest(encoding), ...(timestamp !== undefined && { [timestamp]: seconds }) };
}

function channelHeaders(options: Extract<DeliveryOptions, { as: 'google-channel' }>): Record<string, string> {
  return {
    'x-goog-channel-id': options.channelId,
    'x-goog-channel-token': options.token,
    'x-goog-resource-id': options.resourceId,
    'x-goog-resource-state': options.state ?? 'exists',
    'x-goog-message-number': String(options.messageNumber ?? 2),
  };
}

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? {}));
}

function secondsOf(at: number): string {
  return String(Math.floor(at / 1_000));
}
