import { createHmac, randomUUID } from 'node:crypto';
import type { Arena } from './arena';
import { ask, type Answer } from './request';

export interface Delivery {
  readonly eventId: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const JSON_TYPE = { 'content-type': 'application/json' };
/** Seconds, as the providers write them. */
export const nowS = (): string => String(Math.floor(Date.now() / 1_000));

export function slackBody(eventId = `Ev${randomUUID()}`): string {
  return JSON.stringify({
    type: 'event_callback',
    team_id: 'T_NOBODY',
    api_app_id: 'A1',
    event_id: eventId,
    event_time: Number(nowS()),
    event: { type: 'team_rename', name: 'x' },
  });
}

export function stripeBody(
  eventId = `evt_${randomUUID()}`,
  account = 'acct_nobody',
  subject: object = { id: 'ch_1', object: 'charge' },
  type = 'charge.updated',
): string {
  return JSON.stringify({
    id: eventId,
    object: 'event',
    type,
    created: Number(nowS()),
    livemode: false,
    account,
    data: { object: subject },
  });
}

/** Over whatever is given as the time, so that a timestamp can be wrong in a signature that is right. */
export function slackSignature(secret: string, body: string | Buffer, time = nowS()): Record<string, string> {
  const hex = createHmac('sha256', secret).update(`v0:${time}:`).update(body).digest('hex');
  return { 'x-slack-signature': `v0=${hex}`, 'x-slack-request-timestamp': time };
}

export function stripeSignature(secret: string, body: string | Buffer, time = nowS()): Record<string, string> {
  return { 'stripe-signature': `t=${time},v1=${createHmac('sha256', secret).update(`${time}.`).update(body).digest('hex')}` };
}

/** A true delivery of Slack, before something is done to it. */
export function slackDelivery(arena: Arena, time = nowS()): Delivery {
  const eventId = `Ev${randomUUID()}`;
  const body = slackBody(eventId);
  return { eventId, body, headers: { ...JSON_TYPE, ...slackSignature(arena.secret('SLACK_SIGNING_SECRET'), body, time) } };
}

export function stripeDelivery(arena: Arena, time = nowS(), body = stripeBody()): Delivery {
  const { id } = JSON.parse(body) as { id: string };
  return { eventId: id, body, headers: { ...JSON_TYPE, ...stripeSignature(stripeSecret(arena), body, time) } };
}

export function stripeSecret(arena: Arena): string {
  return arena.secret('STRIPE_WEBHOOK_SECRET');
}

export function deliver(
  origin: string,
  provider: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string | string[]>>,
): Promise<Answer> {
  return ask(origin, `/webhooks/${provider}`, { method: 'POST', body, headers: { ...headers } });
}

export interface StoredEvent {
  readonly id: string;
  readonly status: string;
  readonly attempts: number;
}

/** Rows of the inbox with the provider's id. */
export async function stored(arena: Arena, eventId: string): Promise<StoredEvent[]> {
  const answer = await arena.operator(`/v1/admin/webhook-events?eventId=${encodeURIComponent(eventId)}`);
  return (answer.json as { data: StoredEvent[] }).data;
}

/** How many events there are of a provider, to see that nothing was kept. */
export async function countOf(arena: Arena, provider: string): Promise<number> {
  const answer = await arena.operator(`/v1/admin/webhook-events?provider=${provider}&limit=1000`);
  return (answer.json as { data: unknown[] }).data.length;
}
