import type { WebhookEvent } from '../../contract';
import { pointed } from '../pointed';
import { textAt, type Sources } from './at';
import type { PlainWebhooks } from './plain-provider';

/** The id that a delivery gives an event of its own, if it does. */
export function eventIdIn(eventId: PlainWebhooks['eventId'], from: Sources): string | undefined {
  if (typeof eventId !== 'object' || !('all' in eventId)) return textAt(eventId, from);
  const parts = eventId.all.map((at) => textAt(at, from));
  return parts.includes(undefined) ? undefined : parts.join('.');
}

/** The one of a delivery's events that a handler has been given: they share the delivery. */
export function itemOf({ items, eventId }: PlainWebhooks, event: Pick<WebhookEvent, 'eventId' | 'payload' | 'headers'>): unknown {
  if (items === undefined) return event.payload;
  const list = pointed(event.payload, items);
  if (!Array.isArray(list)) return undefined;
  const named: unknown = list.find(
    (item) => eventIdIn(eventId, { json: item, headers: event.headers, token: event.payload }) === event.eventId,
  );
  // One without an id of its own is known by its place, behind the hash of the body.
  const [, index] = /^[0-9a-f]{40}\.(\d+)$/.exec(event.eventId) ?? [];
  return named ?? (index === undefined ? undefined : (list[Number(index)] as unknown));
}
