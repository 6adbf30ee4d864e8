import { standardWebhookKey } from './standard-webhook.signer';
import type { RawDelivery, Verdict } from '../../contract';
import { base64Bytes, DIGEST_BYTES, GOOD, matchesHmac, MAX_SIGNATURES, refused, single, timestampFault } from './verification';

/** A full stop would let a piece of the id pass for the timestamp. */
const ID = /^[^.\s]{1,256}$/;

/**
 * Standard Webhooks: `webhook-signature: v1,<base64>[ v1,<base64>]` over `<id>.<timestamp>.<raw body>`
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
 *
 * @param prefix of the headers' names, for those who send the same under names of their own
 */
export function verifyStandardWebhook(delivery: RawDelivery, secrets: readonly string[], prefix = 'webhook'): Verdict {
  const keys = secrets.map(standardWebhookKey).filter((key) => key.length > 0);
  if (keys.length === 0) return refused('no_secret');
  const header = single(delivery, `${prefix}-signature`);
  const id = single(delivery, `${prefix}-id`);
  const timestamp = single(delivery, `${prefix}-timestamp`);
  if (header === undefined || header === '') return refused('no_signature');
  if (header === null || typeof id !== 'string' || !ID.test(id) || typeof timestamp !== 'string') return refused('malformed_signature');
  const fault = timestampFault(timestamp, delivery.receivedAt);
  if (fault === 'malformed_signature') return refused(fault);
  const signatures = header
    .split(' ', MAX_SIGNATURES)
    .map((part) => (part.startsWith('v1,') ? base64Bytes(part.slice(3), DIGEST_BYTES.sha256) : undefined))
    .filter((bytes) => bytes !== undefined);
  if (signatures.length === 0) return refused('malformed_signature');
  if (!matchesHmac({ secrets: keys, parts: [`${id}.${timestamp}.`, delivery.body], signatures })) return refused('wrong_signature');
  return fault ? refused(fault) : GOOD;
}
