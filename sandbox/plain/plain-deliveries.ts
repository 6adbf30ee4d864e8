import { randomUUID } from 'node:crypto';
import type { Forge } from '../sandbox.types';
import { eventBody, resourceOf, type PlainEvent } from './plain-events';
import { offBy, signedBy } from './plain-signer';
import type { PlainWatchHere, PlainWorld } from './plain-world';

export interface PlainDelivery extends Partial<PlainEvent> {
  readonly type: string;
  readonly copies?: number;
  readonly forge?: Forge;
  /** The address of one connection, and its secret. */
  readonly to?: { readonly url: string; readonly secret: string };
}

/** Sends an event to the service, as often as wanted and forged as wanted. @returns how often which status was answered, and the event's id */
export async function deliverEvent(
  world: PlainWorld,
  serviceUrl: string,
  { type, id = randomUUID(), at = Date.now(), record, copies = 1, forge, to }: PlainDelivery,
): Promise<{ byStatus: Record<string, number>; eventIds: string[] }> {
  const { key, webhooks } = world.declaration;
  const isWatched = webhooks?.scheme.kind === 'watch' || webhooks?.watchIds !== undefined;
  const resource = record?.by.resource ?? resourceOf(world.declaration, type);
  const watch = isWatched ? forged(await world.watchOf(resource ?? ''), forge) : undefined;
  const url = to?.url ?? watch?.address ?? `${serviceUrl}/webhooks/${key}`;
  const signedAt = Date.now() + offBy(webhooks!.scheme, forge);
  const { body, headers, ...event } = eventBody(world, { id, type, at, signedAt, ...(record && { record }), ...(watch && { watch }) });
  const secret = forge === 'bad-signature' ? 'c29tZWJvZHkgZWxzZQ==' : (to?.secret ?? world.signingSecret);
  const signature = forge === 'no-signature' ? {} : signedBy(webhooks!.scheme, { secret, url, body, id, at: signedAt });
  const init = {
    method: 'POST',
    body: forge === 'altered-body' ? `${body} ` : body,
    headers: { 'content-type': 'application/json', ...headers, ...signature },
  };
  const byStatus: Record<string, number> = {};
  for (const { status } of await Promise.all(Array.from({ length: copies }, () => fetch(url, init))))
    byStatus[status] = (byStatus[status] ?? 0) + 1;
  return { byStatus, eventIds: [event.id] };
}

/** Another's token, or none, where that is what proves a notification. */
function forged({ token, ...watch }: PlainWatchHere, forge: Forge | undefined): PlainWatchHere {
  if (forge === 'no-signature' || token === undefined) return watch;
  return { ...watch, token: forge === 'bad-signature' ? token.toLowerCase() : token };
}
