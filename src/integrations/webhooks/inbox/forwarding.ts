import type { OutboxEvent } from '../../notifications/outbox';
import type { ClaimedEvent } from '../processing/claimed-event';

/** New events as the product hears of them, the payload as it came. What belongs to nobody is told to nobody. */
export function forwardedEventsOf(stored: readonly ClaimedEvent[], at: Date): OutboxEvent[] {
  return stored.flatMap((event) => {
    const { id, provider, eventId, type, tenant, connection, payload, objectKey } = event;
    if (tenant === null || !connection) return [];
    const about = {
      provider,
      connectionId: connection.id,
      data: { id, eventId, type },
      payload,
      traceparent: payload.traceparent,
      ...(objectKey && { object: `${connection.id}/${objectKey}` }),
    };
    return [{ type: 'webhook.received' as const, tenant, at, webhookType: `${provider}/${type}`, ...about }];
  });
}
