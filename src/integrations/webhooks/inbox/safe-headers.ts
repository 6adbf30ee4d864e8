import type { RawDelivery } from '../../contract';

/** Kept because a handler or a person asks for them. A signature, a token or an address of a client is none of these. */
const KEPT = new Set(['content-type', 'user-agent', 'webhook-id', 'webhook-timestamp']);
/** Ends of provider-specific names, e.g. `x-<provider>-resource-state`. */
const KEPT_ENDS =
  /^x-[a-z0-9-]*-(channel-id|channel-expiration|resource-id|resource-uri|resource-state|message-number|changed|retry-num|retry-reason|event|event-type|topic|delivery|request-timestamp)$/;
const MAX_CHARS = 500;

/** The headers that are stored with an event. */
export function safeHeaders(headers: RawDelivery['headers']): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name in headers) {
    if (!KEPT.has(name) && !(name.startsWith('x-') && KEPT_ENDS.test(name))) continue;
    const value = headers[name];
    if (typeof value === 'string') kept[name] = value.slice(0, MAX_CHARS);
  }
  return kept;
}
