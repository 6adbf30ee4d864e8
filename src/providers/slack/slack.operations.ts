import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { cursor, decodeCursor, encodeCursor, limit } from '../../http-api';
import { defineOperation } from '../../integrations';
import { SLACK } from './slack.facts';
import { messageTs, postMessageBody, SlackService } from './slack.service';

const position = z.strictObject({ cursor: z.string().min(1).max(1_000) });

export const channelsInput = z.strictObject({
  limit,
  cursor,
  team: z
    .string()
    .regex(/^T[A-Z0-9]{1,20}$/, 'must be the id of a workspace')
    .optional()
    .describe('Of which workspace, where the connection is of a whole organization.'),
});

export const repliesInput = z.strictObject({
  channel: z
    .string()
    .regex(/^[CDG][A-Z0-9_]{1,30}$/, 'must be the id of a channel')
    .describe('The id of the channel.'),
  threadTs: messageTs.describe('The ts of the message that began the thread.'),
  limit,
  cursor,
});

const reply = z.object({
  ts: z.string(),
  user: z.string().optional(),
  botId: z.string().optional(),
  text: z.string(),
  editedTs: z.string().optional(),
});

const channel = z.object({
  id: z.string(),
  name: z.string(),
  isPrivate: z.boolean(),
  isArchived: z.boolean(),
  isMember: z.boolean().describe('Whether the app is a member: it can only post where it is.'),
  topic: z.string(),
  members: z.number().optional(),
});

/** What can be done with Slack. */
@Injectable()
export class SlackOperations {
  constructor(private readonly slack: SlackService) {}

  readonly listChannels = defineOperation({
    name: 'channels.list',
    provider: SLACK,
    title: 'List channels',
    description:
      'The workspace’s public channels, and with the permission groups:read the private ones that the app is in; archived ones are left out, asked live; a page may be shorter than asked for. An installation of a whole organization wants to know of which workspace (team).',
    input: channelsInput,
    output: z.object({ data: z.array(channel), nextCursor: z.string().nullable() }),
    effect: 'read',
    scopes: ['channels:read'],
    repeat: 'none',
    run: async ({ connection, input }) => {
      const at = input.cursor === undefined ? undefined : decodeCursor(input.cursor, position).cursor;
      const page = await this.slack.listChannels(connection, { limit: input.limit, cursor: at, team: input.team });
      return { data: page.channels, nextCursor: page.cursor === undefined ? null : encodeCursor({ cursor: page.cursor }) };
    },
  });

  readonly listReplies = defineOperation({
    name: 'replies.list',
    provider: SLACK,
    title: "List a thread's replies",
    description:
      'A thread, oldest first and beginning with the message that it answers, asked live; the app has to be in the channel. For private channels it needs groups:history. An app that is sold outside of the Slack Marketplace gets 15 a page, once a minute.',
    input: repliesInput,
    output: z.object({ data: z.array(reply), nextCursor: z.string().nullable() }),
    effect: 'read',
    scopes: ['channels:history'],
    widerScopes: { 'channels:history': ['groups:history', 'im:history', 'mpim:history'] },
    repeat: 'none',
    run: async ({ connection, input }) => {
      const at = input.cursor === undefined ? undefined : decodeCursor(input.cursor, position).cursor;
      const { channel, threadTs, limit } = input;
      const page = await this.slack.listReplies(connection, { channel, threadTs, limit, cursor: at });
      return { data: page.messages, nextCursor: page.cursor === undefined ? null : encodeCursor({ cursor: page.cursor }) };
    },
  });

  /**
   * Slack takes no idempotency key. A message could be found again by its metadata in the history of its channel, but many apps may read that
   * once a minute only (https://docs.slack.dev/changelog/2025/05/29/rate-limit-changes-for-non-marketplace-apps): one of doubtful outcome stays
   * unknown.
   */
  readonly sendMessage = defineOperation({
    name: 'messages.send',
    provider: SLACK,
    title: 'Send a message',
    description: 'Posts a message to a channel as the app, or answers in a thread (threadTs). A text is shown as it is written.',
    input: postMessageBody,
    output: z.object({ ts: z.string(), channel: z.string() }),
    effect: 'write',
    makes: true,
    scopes: ['chat:write'],
    repeat: 'none',
    run: ({ connection, input }) => this.slack.postMessage(connection, input),
  });

  readonly all = [this.listChannels, this.listReplies, this.sendMessage];
}
