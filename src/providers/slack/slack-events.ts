import { z } from 'zod';
import type { IncomingEvent } from '../../integrations';

export const id = z.string().min(1).max(64);
const message = z.object({
  ts: z.string().max(32).optional(),
  app_id: z.string().max(64).nullish(),
  bot_id: z.string().max(64).nullish(),
  bot_profile: z.object({ app_id: z.string().max(64).nullish() }).nullish(),
});

/** What the inbox needs of an event; handlers see the whole. https://docs.slack.dev/apis/events-api */
const eventBody = message.extend({
  type: z.string().min(1).max(100),
  event_ts: z.string().max(32).optional(),
  channel: z.union([id, z.object({ id })]).optional(),
  user: z.union([id, z.object({ id })]).optional(),
  deleted_ts: z.string().max(32).optional(),
  message: message.optional(),
  previous_message: message.optional(),
});
export type SlackEventBody = z.infer<typeof eventBody>;

/** An installation or a person whose grant may see an event. */
export const authorization = z.object({
  team_id: id.nullish(),
  enterprise_id: id.nullish(),
  user_id: id.nullish(),
  is_bot: z.boolean().optional(),
  is_enterprise_install: z.boolean().optional(),
});
export type Authorization = z.infer<typeof authorization>;

export const eventCallback = z.object({
  type: z.literal('event_callback'),
  event_id: id,
  team_id: id.nullish(),
  enterprise_id: id.nullish(),
  api_app_id: id.optional(),
  event_time: z.number().optional(),
  event: eventBody,
  authorizations: z.array(authorization).nullish(),
  /** Whose channel it is: also that of another workspace. */
  is_ext_shared_channel: z.boolean().nullish(),
  /** What Slack is asked with who else may see the event. */
  event_context: z.string().min(1).max(500).nullish(),
});
export type EventCallback = z.infer<typeof eventCallback>;

/** Of what is asked about an event: who else may see it. A type of our own. */
export const WHO_ELSE = 'trestle.who_else';

/** The event for each account that is authorized; for one that nobody is named for, as the envelope says. */
export function eventsFor(body: EventCallback, authorizations: readonly Authorization[]): IncomingEvent[] {
  const byAccount = new Map<string | undefined, Authorization[]>();
  for (const each of authorizations) {
    const account = accountOf(body, each);
    byAccount.set(account, [...(byAccount.get(account) ?? []), each]);
  }
  return [...byAccount].map(([account, own]) => eventFor(body, account, own));
}

/** The event for whom its delivery was sent, and where another may see it, the question who. */
export function incomingEvents(body: EventCallback, asks: boolean): IncomingEvent[] {
  const authorizations = body.authorizations ?? [];
  const events = authorizations.length > 0 ? eventsFor(body, authorizations) : [eventFor(body, accountOf(body), [])];
  return asks && mayConcernOthers(body) ? [...events, questionOf(events, body)] : events;
}

/** In a shared channel other workspaces' installations see it too; where a person's token is named, other persons' may. */
function mayConcernOthers({ event, event_context: context, is_ext_shared_channel: isShared, authorizations }: EventCallback): boolean {
  if (!context || AFTER_THE_END.has(event.type)) return false;
  return isShared === true || (authorizations?.some(({ is_bot }) => is_bot === false) ?? false);
}

/** It concerns no connection by itself, and goes with the account's data where that is erased. */
function questionOf([first]: readonly IncomingEvent[], body: EventCallback): IncomingEvent {
  return { eventId: `${body.event_id}:who-else`, type: WHO_ELSE, routingKey: first?.routingKey, seenBy: { slots: [], personal: true } };
}

/** The installation that the event was sent for; in a shared channel `team_id` may be another workspace. */
function accountOf(body: EventCallback, installation?: Authorization): string | undefined {
  const enterprise = installation?.is_enterprise_install === true ? (installation.enterprise_id ?? body.enterprise_id) : undefined;
  return enterprise ?? installation?.team_id ?? body.team_id ?? body.enterprise_id ?? undefined;
}

function eventFor(body: EventCallback, routingKey: string | undefined, authorizations: readonly Authorization[]): IncomingEvent {
  const objectKey = objectKeyOf(body.event);
  return {
    eventId: body.event_id,
    type: body.event.type,
    routingKey,
    ...(AFTER_THE_END.has(body.event.type) ? {} : seenBy(authorizations)),
    ...(objectKey === undefined ? {} : { objectKey, objectVersion: versionOf(body) }),
  };
}

/** They concern the installation with all its tokens. */
const AFTER_THE_END: ReadonlySet<string> = new Set(['tokens_revoked', 'app_uninstalled']);

/** A private conversation that one person's token sees is nobody else's. An authorization that does not say whose it is restricts nothing. */
function seenBy(authorizations: readonly Authorization[]): Pick<IncomingEvent, 'seenBy'> {
  const told = authorizations.flatMap(({ is_bot, user_id }) =>
    is_bot === true ? ['bot'] : is_bot === false && user_id ? [`user:${user_id}`] : [],
  );
  return told.length === 0 ? {} : { seenBy: { slots: told, personal: !told.includes('bot') } };
}

/** Events of one message, channel or user keep their order; others stand alone. */
function objectKeyOf(event: SlackEventBody): string | undefined {
  const channel = typeof event.channel === 'string' ? event.channel : event.channel?.id;
  if (event.type === 'message') {
    const ts = messageTs(event);
    return channel && ts ? `message/${channel}/${ts}` : undefined;
  }
  if (/^(channel|group)_/.test(event.type)) return channel ? `channel/${channel}` : undefined;
  if (event.type === 'user_change' || event.type === 'team_join') {
    const user = typeof event.user === 'string' ? event.user : event.user?.id;
    return user ? `user/${user}` : undefined;
  }
  return undefined;
}

/** The message that an event is about: an edit or a deletion names it inside. */
export function messageTs(event: Pick<SlackEventBody, 'ts' | 'deleted_ts' | 'message'>): string | undefined {
  return event.deleted_ts ?? event.message?.ts ?? event.ts;
}

/** Microseconds: `event_ts` is seconds with six digits. */
function versionOf(body: EventCallback): number | undefined {
  const seconds = Number(body.event.event_ts ?? body.event_time);
  return Number.isFinite(seconds) && seconds > 0 ? Math.round(seconds * 1e6) : undefined;
}
