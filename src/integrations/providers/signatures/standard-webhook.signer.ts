import { createHmac } from 'node:crypto';

export interface StandardMessage {
  /** Without a full stop; the same on every redelivery. */
  readonly id: string;
  readonly body: string | Buffer;
  /** `whsec_<base64>`; several during a roll. */
  readonly secret: string | readonly string[];
  readonly timestampMs: number;
}

/** Key of a Standard Webhooks secret: base64 after `whsec_`. */
export function standardWebhookKey(secret: string): Buffer {
  return Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
}

/**
 * Headers of an outgoing Standard Webhook
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
 */
export function signStandardWebhook({ id, body, secret, timestampMs }: StandardMessage): Record<string, string> {
  const timestamp = String(Math.floor(timestampMs / 1_000));
  const signatures = [secret].flat().map((each) => {
    const hmac = createHmac('sha256', standardWebhookKey(each));
    return `v1,${hmac.update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
