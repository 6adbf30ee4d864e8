import type { OutgoingFact } from '../../connections';
import { payloadOf } from '../processing/claimed-event';
import type { NewEvent, StoredEvent } from './inbox-insert';

/** New events as the product hears of them, the payload as it came. What belongs to nobody is told to nobody. */
export function factsOf(events: readonly NewEvent[], stored: readonly StoredEvent[], at: Date): OutgoingFact[] {
  const byId = new Map(events.map((event) => [`${event.provider}/${event.event.eventId}`, event]));
  return stored.flatMap(({ id, provider, event_id: eventId, type, tenant, connection_id: connectionId }) => {
    const source = byId.get(`${provider}/${eventId}`);
    if (!source || tenant === null || connectionId === null) return [];
    const data = { id, eventId, type, payload: payloadOf(source) ?? null };
    return [{ type: 'webhook.received' as const, tenant, provider, connectionId, at, data, webhookType: `${provider}/${type}` }];
  });
}
