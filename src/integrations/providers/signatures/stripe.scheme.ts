import type { RawDelivery, Verdict } from '../../contract';
import { DIGEST_BYTES, GOOD, hexBytes, matchesHmac, MAX_SIGNATURES, refused, single, timestampFault } from './verification';

/**
 * `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>]`: HMAC-SHA256 over `<t>.<raw body>`, the secret taken as it is (`whsec_...`).
 * While a secret is rolled Stripe signs with both (https://docs.stripe.com/webhooks#verify-manually). Stripe's own library does
 * not look at a timestamp in the future; we do.
 */
export function verifyStripeSignature(delivery: RawDelivery, secrets: readonly string[], headerName = 'stripe-signature'): Verdict {
  if (secrets.length === 0) return refused('no_secret');
  const header = single(delivery, headerName);
  if (header === undefined || header === '') return refused('no_signature');
  if (header === null) return refused('malformed_signature');

  let timestamp: string | undefined;
  const signatures: Buffer[] = [];
  // Other schemes (`v0`, of test clocks) are passed over. The limit counts items, so that a long header costs nothing.
  for (const item of header.split(',', MAX_SIGNATURES + 1)) {
    const at = item.indexOf('=');
    const name = item.slice(0, at).trim();
    const value = item.slice(at + 1).trim();
    if (name === 't') {
      if (timestamp !== undefined) return refused('malformed_signature');
      timestamp = value;
    } else if (name === 'v1') {
      const bytes = hexBytes(value, DIGEST_BYTES.sha256);
      if (bytes) signatures.push(bytes);
    }
  }
  if (timestamp === undefined) return refused('malformed_signature');
  const fault = timestampFault(timestamp, delivery.receivedAt);
  if (fault) return refused(fault);
  if (signatures.length === 0) return refused('malformed_signature');
  return matchesHmac({ secrets, parts: [`${timestamp}.`, delivery.body], signatures }) ? GOOD : refused('wrong_signature');
}
