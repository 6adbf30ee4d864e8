import { Controller, Get, Headers, Post, UseInterceptors } from '@nestjs/common';
import { z } from 'zod';
import {
  cursor,
  CurrentUser,
  decodeCursor,
  encodeCursor,
  IdParam,
  limit,
  paged,
  ZodBody,
  ZodQuery,
  type Principal,
  type Paged,
} from '../../http-api';
import { ActionReplyInterceptor, ActionService, ConnectionRepository, toRef, type ActionResult } from '../../integrations';
import { SLACK } from './slack.facts';
import { postMessageBody, SlackService, type PostMessage, type SlackChannelSummary } from './slack.service';

const channelsQuery = z.strictObject({ limit, cursor });
const position = z.strictObject({ cursor: z.string().min(1).max(1_000) });

@Controller('v1/connections/:id/slack')
export class SlackController {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly actions: ActionService,
    private readonly slack: SlackService,
  ) {}

  /** The workspace's channels, asked live. */
  @Get('channels')
  async channels(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @ZodQuery(channelsQuery) query: z.output<typeof channelsQuery>,
  ): Promise<Paged<SlackChannelSummary>> {
    const at = query.cursor === undefined ? undefined : decodeCursor(query.cursor, position).cursor;
    const connection = await this.connections.findUsable(caller, SLACK, id);
    const page = await this.slack.listChannels(toRef(connection), { limit: query.limit, cursor: at });
    return paged(page.channels, page.cursor === undefined ? null : encodeCursor({ cursor: page.cursor }));
  }

  /** Posts a message as the app. Slack takes no idempotency key: one of doubtful outcome stays `outcome_unknown`. */
  @Post('messages')
  @UseInterceptors(ActionReplyInterceptor)
  async postMessage(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @ZodBody(postMessageBody) body: PostMessage,
    @Headers('idempotency-key') idempotencyKey?: string,
  ): Promise<ActionResult> {
    const connection = toRef(await this.connections.findUsable(caller, SLACK, id));
    return this.actions.run({
      caller,
      connection,
      route: 'POST slack/messages',
      body,
      idempotencyKey,
      execute: async () => ({ status: 201, body: await this.slack.postMessage(connection, body) }),
    });
  }
}
