import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import {
  verifySigned,
  withoutMember,
  type IncomingEvent,
  type ParsedDelivery,
  type RawDelivery,
  type Verdict,
  type WebhookFacts,
} from '../../integrations';
import { SLACK_SIGNATURE } from './slack.facts';
import { formOf, isCertificateCheck, readInteraction } from './slack.interactions';
import { slackSettings } from './slack.settings';

const id = z.string().min(1).max(64);
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

const eventCallback = z.object({
  type: z.literal('event_callback'),
  event_id: id,
  team_id: id.nullish(),
  enterprise_id: id.nullish(),
  api_app_id: id.optional(),
  event_time: z.number().optional(),
  event: eventBody,
  authorizations: z
    .array(
      z.object({
        team_id: id.nullish(),
        enterprise_id: id.nullish(),
        user_id: id.nullish(),
        is_bot: z.boolean().optional(),
        is_enterprise_install: z.boolean().optional(),
      }),
    )
    .nullish(),
});
type EventCallback = z.infer<typeof eventCallback>;

const envelope = z.discriminatedUnion('type', [
  z.object({ type: z.literal('url_verification'), challenge: z.string().min(1).max(1000) }),
  z.object({ type: z.literal('app_rate_limited'), team_id: id, minute_rate_limited: z.number() }),
  eventCallback,
]);

/** Slack's Events API. */
@Injectable()
export class SlackWebhooksService implements WebhookFacts {
  readonly configured: boolean;
  private readonly secrets: readonly string[];

  constructor(@Inject(SETTINGS) settings: Settings) {
    this.secrets = providerSettings(settings, slackSettings).webhookSecrets;
    this.configured = this.secrets.length > 0;
  }

  verify(delivery: RawDelivery): Verdict {
    // Sent without a signature, as a look at our certificate; it is answered and nothing is done with it.
    if (isCertificateCheck(delivery)) return { ok: true };
    return verifySigned(delivery, this.secrets, SLACK_SIGNATURE);
  }

  parse(delivery: RawDelivery): ParsedDelivery {
    const form = formOf(delivery);
    if (form) return isCertificateCheck(delivery) ? { events: [] } : readInteraction(delivery, form);
    const body = readEnvelope(delivery.body);
    switch (body.type) {
      case 'url_verification':
        return { events: [], reply: { body: body.challenge, contentType: 'text/plain; charset=utf-8' } };
      case 'app_rate_limited':
        return {
          events: [{ eventId: `app_rate_limited:${body.team_id}:${body.minute_rate_limited}`, type: body.type, routingKey: body.team_id }],
          stored: withoutMember(delivery.body, 'token'),
        };
      case 'event_callback':
        // What we said ourselves comes back as an event: handling it would make echoes.
        // The envelope's `token` is Slack's older proof of origin, still a secret of the app.
        return { events: isOwnMessage(body) ? [] : [incomingEvent(body)], stored: withoutMember(delivery.body, 'token') };
    }
  }
}

function readEnvelope(bytes: Buffer): z.infer<typeof envelope> {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new IntegrationError('invalid_request', { cause });
  }
  const parsed = envelope.safeParse(json);
  if (!parsed.success) throw new IntegrationError('invalid_request', { detail: 'This is not an event of Slack.', cause: parsed.error });
  return parsed.data;
}

function incomingEvent(body: EventCallback): IncomingEvent {
  // The installation that the event was sent for; in a shared channel `team_id` may be another workspace.
  const installation = body.authorizations?.[0];
  const enterprise = installation?.is_enterprise_install === true ? (installation.enterprise_id ?? body.enterprise_id) : undefined;
  const objectKey = objectKeyOf(body.event);
  return {
    eventId: body.event_id,
    type: body.event.type,
    routingKey: enterprise ?? installation?.team_id ?? body.team_id ?? body.enterprise_id ?? undefined,
    ...(AFTER_THE_END.has(body.event.type) ? {} : seenBy(body)),
    ...(objectKey === undefined ? {} : { objectKey, objectVersion: versionOf(body) }),
  };
}

/** They concern the installation with all its tokens. */
const AFTER_THE_END: ReadonlySet<string> = new Set(['tokens_revoked', 'app_uninstalled']);

/** A private conversation that one person's token sees is nobody else's. An authorization that does not say whose it is restricts nothing. */
function seenBy({ authorizations }: EventCallback): Pick<IncomingEvent, 'seenBy'> {
  const told = (authorizations ?? []).flatMap(({ is_bot, user_id }) =>
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

function isOwnMessage({ api_app_id: ownApp, event }: EventCallback): boolean {
  if (event.type !== 'message' || ownApp === undefined) return false;
  return [event, event.message, event.previous_message].some((each) => each?.app_id === ownApp || each?.bot_profile?.app_id === ownApp);
}
