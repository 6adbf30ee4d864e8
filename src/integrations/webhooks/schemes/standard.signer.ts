import { createHmac } from 'node:crypto';
import { standardWebhookKey } from './standard.scheme';

export interface StandardMessage {
  /** Without a full stop; the same on every redelivery. */
  readonly id: string;
  readonly body: string | Buffer;
  /** `whsec_<base64>`; several during a roll. */
  readonly secret: string | readonly string[];
  readonly timestampMs: number;
}

/** Headers of an outgoing Standard Webhook. */
export function signStandardWebhook({ id, body, secret, timestampMs }: StandardMessage): Record<string, string> {
  const timestamp = String(Math.floor(timestampMs / 1_000));
  const signatures = [secret].flat().map((each) => {
    const hmac = createHmac('sha256', standardWebhookKey(each));
    return `v1,${hmac.update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
