import type { RawDelivery, Verdict } from '../../contract';
import { DIGEST_BYTES, GOOD, hexBytes, matchesHmac, refused, single, timestampFault } from './verification';

/** `X-Slack-Signature: v0=<hex>` over `v0:<timestamp>:<raw body>` (https://docs.slack.dev/authentication/verifying-requests-from-slack). */
export function verifySlackSignature(delivery: RawDelivery, secrets: readonly string[]): Verdict {
  if (secrets.length === 0) return refused('no_secret');
  const header = single(delivery, 'x-slack-signature');
  const timestamp = single(delivery, 'x-slack-request-timestamp');
  if (header === undefined || header === '') return refused('no_signature');
  if (header === null || timestamp === null || timestamp === undefined) return refused('malformed_signature');
  const fault = timestampFault(timestamp, delivery.receivedAt);
  if (fault) return refused(fault);
  const signature = header.startsWith('v0=') ? hexBytes(header.slice(3), DIGEST_BYTES.sha256) : undefined;
  if (!signature) return refused('malformed_signature');
  return matchesHmac({ secrets, parts: [`v0:${timestamp}:`, delivery.body], signatures: [signature] }) ? GOOD : refused('wrong_signature');
}
