import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import {
  callSdk,
  OnWebhook,
  type ConnectionRef,
  type Fetch,
  type HandlerContext,
  type StoredRecord,
  type SyncRecord,
  type WebhookEvent,
  type WebhookHandler,
} from '../../integrations';
import { slackClient } from './slack.client';
import { SLACK, SLACK_API_BASE_URL } from './slack.facts';
import { PRIVATE } from './slack-sync.service';
import { messageTs } from './slack-events';
import { slackSettings } from './slack.settings';

/** The envelope of an event as Slack sends it: https://docs.slack.dev/apis/events-api#event-type-structure */
export interface SlackEnvelope<T> {
  readonly event: T & { readonly type: string };
}

interface SlackMessageEvent {
  readonly subtype?: string;
  readonly channel?: string;
  readonly ts?: string;
  readonly deleted_ts?: string;
  readonly message?: { readonly ts?: string; readonly subtype?: string };
}

/** Said, edited, deleted: https://docs.slack.dev/reference/events/message */
@Injectable()
@OnWebhook(SLACK, 'message')
export class SlackMessageHandler implements WebhookHandler<SlackEnvelope<SlackMessageEvent>, void> {
  async handle({ payload: { event } }: WebhookEvent<SlackEnvelope<SlackMessageEvent>>, context: HandlerContext): Promise<void> {
    const ts = messageTs(event);
    if (!event.channel || !ts) return;
    await context.applyRecords('messages', [{ id: `${event.channel}:${ts}`, ...messageState(event, event.channel) }]);
  }
}

function messageState(event: SlackMessageEvent, channel: string): Omit<SyncRecord, 'id'> {
  // Of a message that had replies a gravestone stays: the message itself is deleted.
  if (event.subtype === 'message_deleted' || event.deleted_ts || event.message?.subtype === 'tombstone') return { deleted: true };
  // What carries a message is about that one (`message_changed`, `message_replied`), also where Slack leaves the subtype out:
  // https://docs.slack.dev/reference/events/message/message_replied
  return { data: { ...(event.message ?? event), channel }, partOf: { resource: 'channels', id: channel } };
}

interface SlackChannelEvent {
  readonly channel?: string | { readonly id: string };
  /** Of `channel_id_changed`: https://docs.slack.dev/reference/events/channel_id_changed */
  readonly old_channel_id?: string;
  readonly new_channel_id?: string;
}

/** After which a channel is another, or gone. */
export const CHANNEL_EVENTS = [
  'channel_created',
  'channel_rename',
  'channel_archive',
  'channel_unarchive',
  'channel_deleted',
  'channel_shared',
  'channel_unshared',
  'channel_id_changed',
  'group_rename',
  'group_archive',
  'group_unarchive',
  'group_deleted',
  'group_left',
  'channel_left',
] as const;
/** They carry the whole user: https://docs.slack.dev/reference/events/user_change */
export const USER_EVENTS = ['user_change', 'team_join'] as const;

/** An event of a channel says little, so the channel is asked for; one that is gone, or hidden from us, is a deletion. */
@Injectable()
@OnWebhook(SLACK, ...CHANNEL_EVENTS)
export class SlackChannelHandler implements WebhookHandler<SlackEnvelope<SlackChannelEvent>, SyncRecord | undefined> {
  private readonly apiBaseUrl: string;

  constructor(@Inject(SETTINGS) settings: Settings) {
    this.apiBaseUrl = providerSettings(settings, slackSettings).apiBaseUrl ?? SLACK_API_BASE_URL;
  }

  async prepare(
    { payload: { event } }: WebhookEvent<SlackEnvelope<SlackChannelEvent>>,
    { fetch }: { connection: ConnectionRef; fetch: Fetch; signal: AbortSignal },
  ): Promise<SyncRecord | undefined> {
    const id = event.new_channel_id ?? (typeof event.channel === 'string' ? event.channel : event.channel?.id);
    if (!id) return undefined;
    if (event.type === 'channel_deleted' || event.type === 'group_deleted') return { id, deleted: true };
    try {
      const { channel } = await callSdk(() => slackClient(fetch, this.apiBaseUrl).conversations.info({ channel: id }));
      if (!channel?.id) throw new IntegrationError('provider_bad_answer', { provider: SLACK });
      return { id: channel.id, data: channel };
    } catch (error) {
      if (error instanceof IntegrationError && error.providerCode === 'channel_not_found') return { id, deleted: true };
      throw error;
    }
  }

  async handle(
    { payload: { event } }: WebhookEvent<SlackEnvelope<SlackChannelEvent>>,
    context: HandlerContext,
    record: SyncRecord | undefined,
  ): Promise<void> {
    if (!record) return;
    // Its new place before the old one is left: what hangs on a channel goes when it is in neither.
    const isPrivate = (record.data as { is_private?: boolean } | undefined)?.is_private === true;
    for (const partition of isPrivate ? [PRIVATE, ''] : ['', PRIVATE])
      await context.applyRecords('channels', [isPrivate === (partition === PRIVATE) ? record : { id: record.id, deleted: true }], {
        partition,
      });
    const old = event.old_channel_id;
    if (!old || old === record.id) return;
    // Slack tells of no message again, and many apps may hardly read them: they move. Then the old channel goes, with what still hangs on it.
    if (!record.deleted)
      for await (const messages of context.partsOf('messages', { resource: 'channels', id: old }))
        await context.applyRecords(
          'messages',
          messages.map((message) => movedTo(record.id, message)),
        );
    for (const partition of ['', PRIVATE]) await context.applyRecords('channels', [{ id: old, deleted: true }], { partition });
  }
}

function movedTo(channel: string, { id, data }: StoredRecord): SyncRecord {
  const ts = id.slice(id.indexOf(':') + 1);
  return { id: `${channel}:${ts}`, data: { ...(data as object), channel }, partOf: { resource: 'channels', id: channel } };
}

@Injectable()
@OnWebhook(SLACK, ...USER_EVENTS)
export class SlackUserHandler implements WebhookHandler<SlackEnvelope<{ readonly user?: { readonly id?: string } }>, void> {
  async handle(
    { payload: { event } }: WebhookEvent<SlackEnvelope<{ readonly user?: { readonly id?: string } }>>,
    context: HandlerContext,
  ): Promise<void> {
    if (event.user?.id) await context.applyRecords('users', [{ id: event.user.id, data: event.user }]);
  }
}

/**
 * Slack dropped events of this workspace for a minute, or the workspace has become part of an organization, where people and channels get
 * other ids (https://docs.slack.dev/reference/events/grid_migration_finished): what events would have said is read anew.
 */
@Injectable()
@OnWebhook(SLACK, 'app_rate_limited', 'grid_migration_finished')
export class SlackRateLimitedHandler implements WebhookHandler<unknown, void> {
  async handle(_event: WebhookEvent, context: HandlerContext): Promise<void> {
    if (context.connection) await context.requestSync(['channels', 'users']);
  }
}
