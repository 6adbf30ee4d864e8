import type { At, PlainEventRecords, PlainWebhooks } from '../../src/integrations/providers/plain/plain-provider';
import { itemOf } from './plain-lists';
import type { PlainWorld } from './plain-world';
import { firstOf, put, type Json } from './pointed';

export interface PlainEvent {
  readonly id: string;
  readonly type: string;
  /** ms since the epoch: of the object that it is about. */
  readonly at: number;
  /** The record that it carries: its id, and by which of the declared ways. */
  readonly record?: { readonly id: string; readonly by: PlainEventRecords };
}

/** An event as the declaration says that it is written: its body, and the headers that tell of it. */
export function eventBody(world: PlainWorld, event: PlainEvent): { body: string; headers: Record<string, string> } {
  const { webhooks, resources = [] } = world.declaration;
  if (!webhooks) throw new Error(`${world.declaration.name} sends no events.`);
  const headers: Record<string, string> = {};
  const inner: Json = {};
  const outer: Json = {};
  const { id, by } = event.record ?? {};
  const resource = resources.find(({ name }) => name === by?.resource);
  if (by?.at !== undefined && resource && id !== undefined) put(inner, by.at, itemOf(resource, id, event.at));
  const tell = (at: At | undefined, value: string) => {
    const place = placeIn(at, by?.at);
    if (place?.startsWith('header:')) headers[place.slice(7)] = value;
    else if (place?.startsWith('token:')) put(outer, place.slice(6), value);
    else if (place?.startsWith('/')) put(inner, place, value);
  };
  tell(webhooks.eventId, event.id);
  tell(webhooks.routingKey, world.routingKey);
  typeParts(webhooks, event.type).forEach((part, index) => tell(webhooks.type[index], part));
  if (id !== undefined) tell(webhooks.objectId, id);
  tell(webhooks.objectVersion, new Date(event.at).toISOString());
  const body = webhooks.items === undefined ? inner : webhooks.items === '' ? [inner] : put(outer, webhooks.items, [inner]);
  return { body: JSON.stringify(body), headers };
}

/** A type that is meant by one with `*` at its end. */
export const concreteType = (type: string): string => type.replace('*', 'changed');

/** An event names its object at one of several places: at that of the object that it carries. */
function placeIn(at: At | undefined, object: string | undefined): string | undefined {
  const places = at === undefined ? [] : [at].flat();
  return places.find((place) => object !== undefined && object !== '' && place.startsWith(`${object}/`)) ?? firstOf(at);
}

/** A type is joined of parts by full stops; the last part may have some of its own. */
function typeParts({ type }: PlainWebhooks, joined: string): string[] {
  const parts = joined.split('.');
  return [...parts.slice(0, type.length - 1), parts.slice(type.length - 1).join('.')];
}
