import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import {
  JwksVerifier,
  verifyChannelToken,
  WatchService,
  type IncomingEvent,
  type ParsedDelivery,
  type RawDelivery,
  type Verdict,
  type WebhookFacts,
} from '../../integrations';
import { CHANNEL_HEADERS, pushToken } from './google.facts';
import { googleSettings } from './google.settings';

const STATES = ['sync', 'exists', 'not_exists'];

/** https://cloud.google.com/pubsub/docs/push#receive_push */
const pushBody = z.object({
  message: z.object({ data: z.string().max(4096), messageId: z.string().min(1).max(128) }),
  subscription: z.string().max(512).optional(),
});
const pushData = z.object({ emailAddress: z.string().min(3).max(320) });

type Watch = NonNullable<Awaited<ReturnType<WatchService['find']>>>;

/** Two ways in: notifications of Calendar channels, known by the token that we chose; pushes of Gmail, known by Google's own token. */
@Injectable()
export class GoogleWebhooksService implements WebhookFacts {
  /** Channels bring their own secret. */
  readonly configured = true;
  private readonly pubsub: JwksVerifier;
  /** Which channel a delivery was verified for, until it is parsed. */
  private readonly channels = new WeakMap<RawDelivery, Watch>();

  constructor(
    @Inject(SETTINGS) settings: Settings,
    private readonly watches: WatchService,
  ) {
    const { audience, email, jwksUrl, issuer } = providerSettings(settings, googleSettings).pubsub;
    this.pubsub = new JwksVerifier(pushToken({ audience, email, jwksUrl, issuer }));
  }

  async verify(delivery: RawDelivery): Promise<Verdict> {
    if (delivery.headers[CHANNEL_HEADERS.channelId] === undefined) return this.pubsub.verify(delivery);
    const { verdict, channel } = await verifyChannelToken(delivery, CHANNEL_HEADERS, (id) => this.watches.find(id));
    if (verdict.ok && channel) this.channels.set(delivery, channel);
    return verdict;
  }

  parse(delivery: RawDelivery): ParsedDelivery {
    const channel = this.channels.get(delivery);
    if (channel) return { events: channelEvents(delivery, channel) };
    if (delivery.headers[CHANNEL_HEADERS.channelId] !== undefined)
      throw new IntegrationError('invalid_request', { detail: 'This channel was not verified.' });
    return { events: [mailEvent(delivery.body)] };
  }
}

/** https://developers.google.com/workspace/calendar/api/guides/push#understanding-the-notification-message-format */
function channelEvents(delivery: RawDelivery, channel: Watch): IncomingEvent[] {
  const state = header(delivery, 'x-goog-resource-state');
  const number = header(delivery, 'x-goog-message-number');
  const id = header(delivery, CHANNEL_HEADERS.channelId);
  if (!STATES.includes(state) || !/^\d{1,20}$/.test(number))
    throw new IntegrationError('invalid_request', { detail: 'This is not a notification of Google.' });
  // The first message only says that the channel stands.
  if (state === 'sync') return [];
  const kind = channel.resource === 'calendars' ? 'calendarList' : 'calendar';
  return [{ eventId: `${id}:${number}`, type: `${kind}.${state}`, connectionId: channel.connectionId }];
}

function mailEvent(body: Buffer): IncomingEvent {
  const push = readJson(body.toString('utf8'), pushBody);
  const { emailAddress } = readJson(Buffer.from(push.message.data, 'base64').toString('utf8'), pushData);
  // The history id in it is a hint at most: pushes come late, twice and out of order, so the sync starts from where it stopped.
  return { eventId: push.message.messageId, type: 'gmail.push', routingKey: emailAddress.toLowerCase() };
}

function readJson<T extends z.ZodType>(text: string, schema: T): z.output<T> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new IntegrationError('invalid_request', { cause });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new IntegrationError('invalid_request', { detail: 'This is not a push of Google.', cause: parsed.error });
  return parsed.data;
}

function header(delivery: RawDelivery, name: string): string {
  const value = delivery.headers[name];
  return (typeof value === 'string' ? value : value?.[0]) ?? '';
}
