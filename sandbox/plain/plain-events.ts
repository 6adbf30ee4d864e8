import type { At, PlainEventRecords, PlainWebhooks } from '../../src/integrations/providers/plain/plain-provider';
import { itemOf } from './plain-lists';
import type { PlainWatchHere, PlainWorld } from './plain-world';
import { at, firstOf, put, type Json } from './pointed';

export interface PlainEvent {
  readonly id: string;
  readonly type: string;
  /** ms since the epoch: of the object that it is about. */
  readonly at: number;
  /** ms since the epoch: when it is signed, where that stands in the body. */
  readonly signedAt: number;
  /** The record that it carries: its id, and by which of the declared ways. */
  readonly record?: { readonly id: string; readonly by: PlainEventRecords };
  /** The watch that it is told to, where events are those of watches. */
  readonly watch?: PlainWatchHere;
}

/** Of which resource an event is, by its type. */
export function resourceOf({ webhooks }: PlainWorld['declaration'], type: string): string | undefined {
  return webhooks?.records?.find(({ types }) =>
    types.some((each) => each === type || (each.endsWith('*') && type.startsWith(each.slice(0, -1)))),
  )?.resource;
}

/** An event as the declaration says that it is written: its body, the headers that tell of it, and what it is then known by. */
export function eventBody(world: PlainWorld, event: PlainEvent): { id: string; body: string; headers: Record<string, string> } {
  const { webhooks, resources = [] } = world.declaration;
  if (!webhooks) throw new Error(`${world.declaration.name} sends no events.`);
  const headers: Record<string, string> = {};
  const inner: Json = {};
  const outer: Json = {};
  const { id, by } = event.record ?? {};
  const resource = resources.find(({ name }) => name === by?.resource);
  const object = resource && id !== undefined ? itemOf(resource, id, event.at) : {};
  if (by?.at === '') Object.assign(inner, object);
  else if (by?.at !== undefined) put(inner, by.at, object);
  const tell = (where: At | undefined, value: string) => {
    const place = placeIn(where, by?.at);
    if (place?.startsWith('header:')) headers[place.slice(7)] = value;
    else if (place?.startsWith('token:')) put(outer, place.slice(6), value);
    else if (place?.startsWith('origin:')) put(inner, place.slice(7), `${value}/things/1`);
    else if (place?.startsWith('/')) put(inner, place, value);
  };
  const { eventId } = webhooks;
  if (typeof eventId === 'object' && 'all' in eventId) eventId.all.forEach((place) => tell(place, event.id));
  else tell(eventId, event.id);
  tell(webhooks.routingKey, world.routingKey);
  typeParts(webhooks, event.type).forEach((part, index) => {
    // What it is about is known by its watch.
    const byWatch = [webhooks.type[index]].flat().includes('watch:resource');
    if (!byWatch || part !== event.watch?.resource) tell(webhooks.type[index], part);
  });
  const { watch } = event;
  if (watch?.token !== undefined && webhooks.scheme.kind === 'watch') put(inner, webhooks.scheme.token, `${watch.channel}.${watch.token}`);
  if (watch && webhooks.watchIds !== undefined) put(inner, webhooks.watchIds, [Number(watch.id)]);
  if (id !== undefined) {
    tell(webhooks.objectId, id);
    tell(by?.id, id);
  }
  const { scheme } = webhooks;
  if (scheme.kind === 'hmac') tell(scheme.timestamp?.startsWith('/') ? scheme.timestamp : undefined, timeFor(scheme, event.signedAt));
  tell(webhooks.objectVersion, new Date(event.at).toISOString());
  const body = webhooks.items === undefined ? inner : webhooks.items === '' ? [inner] : put(outer, webhooks.items, [inner]);
  const joined =
    typeof eventId === 'object' && 'all' in eventId ? eventId.all.map((place) => String(at(inner, firstOf(place) ?? ''))) : [event.id];
  return { id: joined.join('.'), body: JSON.stringify(body), headers };
}

/** The time of a signature, as the scheme writes it. */
export function timeFor({ timestampAs = 's' }: { readonly timestampAs?: 's' | 'ms' | 'iso' }, at: number): string {
  return timestampAs === 'iso' ? new Date(at).toISOString() : String(timestampAs === 's' ? Math.floor(at / 1000) : at);
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
