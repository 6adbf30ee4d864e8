import { Inject, Injectable } from '@nestjs/common';
import type { ChatPostMessageArguments } from '@slack/web-api';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { providerSettings } from '../../config/provider-settings';
import { IntegrationError } from '../../errors';
import { callSdk, GovernedHttp, type ConnectionRef } from '../../integrations';
import { slackClient } from './slack.client';
import { seesPrivateChannels, SLACK, SLACK_API_BASE_URL } from './slack.facts';
import { slackSettings } from './slack.settings';

const part = z.record(z.string(), z.unknown());

/** What a message is known by in its channel. */
export const messageTs = z.string().regex(/^\d{1,12}\.\d{1,6}$/, 'must be the ts of a message');

/** Limits of https://docs.slack.dev/reference/methods/chat.postMessage and https://docs.slack.dev/reference/block-kit/blocks */
export const postMessageBody = z
  .strictObject({
    channel: z.string().min(1).max(100),
    /** Plain text: sent as it is written; for mentions, links and formatting give `blocks`. */
    text: z.string().max(40_000).optional(),
    blocks: z.array(part).max(50).optional(),
    attachments: z.array(part).max(100).optional(),
    threadTs: messageTs.optional(),
  })
  .refine((body) => Boolean(body.text?.trim()) || (body.blocks?.length ?? 0) > 0 || (body.attachments?.length ?? 0) > 0, {
    error: 'Give at least one of text, blocks and attachments.',
    path: ['text'],
  });
export type PostMessage = z.output<typeof postMessageBody>;

export interface SlackChannelSummary {
  readonly id: string;
  readonly name: string;
  readonly isPrivate: boolean;
  readonly isArchived: boolean;
  /** Whether the app is a member: it can only post where it is. */
  readonly isMember: boolean;
  readonly topic: string;
  readonly members?: number;
}

export interface SlackReply {
  readonly ts: string;
  /** Who wrote it; absent for an app without a user of its own. */
  readonly user?: string;
  /** The app that wrote it. */
  readonly botId?: string;
  readonly text: string;
  /** When it was last changed, as a ts. */
  readonly editedTs?: string;
}

/** What people do with Slack. */
@Injectable()
export class SlackService {
  private readonly apiBaseUrl: string;

  constructor(
    @Inject(SETTINGS) settings: Settings,
    private readonly http: GovernedHttp,
  ) {
    this.apiBaseUrl = providerSettings(settings, slackSettings).apiBaseUrl ?? SLACK_API_BASE_URL;
  }

  /** Posts a message as the app. @throws IntegrationError `provider_not_found`, `provider_forbidden`, `provider_rejected`, ... */
  async postMessage(connection: ConnectionRef, message: PostMessage, signal?: AbortSignal): Promise<{ ts: string; channel: string }> {
    const client = slackClient(this.http.fetchFor(connection, { operation: 'slack.messages.send', signal }), this.apiBaseUrl);
    const answer = await callSdk(() => client.chat.postMessage(messageArguments(message)));
    if (!answer.ts || !answer.channel) throw new IntegrationError('provider_bad_answer', { provider: SLACK });
    return { ts: answer.ts, channel: answer.channel };
  }

  /**
   * One page of a thread: the message that began it, then its replies, oldest first.
   * https://docs.slack.dev/reference/methods/conversations.replies
   *
   * @throws IntegrationError `provider_not_found` where there is no such channel or thread, `provider_forbidden` where the app is no member, ...
   */
  async listReplies(
    connection: ConnectionRef,
    thread: { channel: string; threadTs: string; limit: number; cursor?: string; signal?: AbortSignal },
  ): Promise<{ messages: SlackReply[]; cursor?: string }> {
    const { channel, threadTs: ts, limit, cursor, signal } = thread;
    const client = slackClient(this.http.fetchFor(connection, { operation: 'slack.replies.list', signal }), this.apiBaseUrl);
    const answer = await callSdk(() =>
      client.conversations.replies({ channel, ts, limit, ...(cursor === undefined ? {} : { cursor }) }),
    ).catch(refusedCursor);
    if (!Array.isArray(answer.messages)) throw new IntegrationError('provider_bad_answer', { provider: SLACK });
    return {
      messages: answer.messages.flatMap((message) =>
        message.ts
          ? [{ ts: message.ts, user: message.user, botId: message.bot_id, text: message.text ?? '', editedTs: message.edited?.ts }]
          : [],
      ),
      cursor: answer.response_metadata?.next_cursor || undefined,
    };
  }

  /** One page of the channels that can be posted to, archived ones left out; a page may be shorter than asked for. */
  async listChannels(
    connection: ConnectionRef,
    options: { limit: number; cursor?: string; team?: string; signal?: AbortSignal },
  ): Promise<{ channels: SlackChannelSummary[]; cursor?: string }> {
    const team = teamOf(connection, options.team);
    const client = slackClient(
      this.http.fetchFor(connection, { operation: 'slack.channels.list', signal: options.signal }),
      this.apiBaseUrl,
    );
    const answer = await callSdk(() =>
      client.conversations.list({
        limit: options.limit,
        exclude_archived: true,
        types: seesPrivateChannels(connection) ? 'public_channel,private_channel' : 'public_channel',
        ...(options.cursor === undefined ? {} : { cursor: options.cursor }),
        ...(team !== undefined && { team_id: team }),
      }),
    ).catch(refusedCursor);
    return {
      channels: (answer.channels ?? []).flatMap((channel) =>
        channel.id
          ? [
              {
                id: channel.id,
                name: channel.name ?? channel.id,
                isPrivate: channel.is_private ?? false,
                isArchived: channel.is_archived ?? false,
                isMember: channel.is_member ?? false,
                topic: channel.topic?.value ?? '',
                members: channel.num_members,
              },
            ]
          : [],
      ),
      cursor: answer.response_metadata?.next_cursor || undefined,
    };
  }
}

/** A page of a list that was asked for with a place that Slack does not know any more. */
function refusedCursor(error: unknown): never {
  if (error instanceof IntegrationError && error.providerCode === 'invalid_cursor')
    throw new IntegrationError('invalid_cursor', { provider: SLACK, cause: error });
  throw error;
}

/** An org-wide installation has to name one; another has one of its own. https://docs.slack.dev/enterprise/organization-ready-apps */
function teamOf({ metadata }: ConnectionRef, team: string | undefined): string | undefined {
  if (metadata['isOrgWide'] === true) {
    if (team !== undefined) return team;
    throw new IntegrationError('invalid_request', {
      detail: 'team: this connection is of a whole organization, so name the workspace.',
      nextStep: 'Send the id of one of its workspaces as team.',
    });
  }
  if (team !== undefined && team !== metadata['teamId'])
    throw new IntegrationError('invalid_request', { detail: 'team: this connection is of another workspace.' });
  return undefined;
}

/**
 * `&`, `<` and `>` are Slack's control characters: escaped, a text is shown as it was written, and no text that a stranger wrote can call a whole channel
 * (`<!channel>`, `<!here>`, `<!everyone>`) or pass off a link. A bare `@channel` stays text, as `link_names` and `parse` are off.
 * Blocks and attachments are the caller's own layout and go through as they are.
 * https://docs.slack.dev/messaging/formatting-message-text#escaping
 */
export function escapeSlackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function messageArguments(message: PostMessage): ChatPostMessageArguments {
  const fields = {
    channel: message.channel,
    link_names: false,
    parse: 'none',
    ...(message.text === undefined ? {} : { text: escapeSlackText(message.text) }),
    ...(message.blocks === undefined ? {} : { blocks: message.blocks }),
    ...(message.attachments === undefined ? {} : { attachments: message.attachments }),
    ...(message.threadTs === undefined ? {} : { thread_ts: message.threadTs }),
  };
  // The SDK's type spells out every kind of block; Slack checks them.
  return fields as unknown as ChatPostMessageArguments;
}
