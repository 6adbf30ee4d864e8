import { Controller, Get, Headers, Post, UseInterceptors } from '@nestjs/common';
import type { z } from 'zod';
import { RunsOperation, CurrentUser, IdParam, ZodBody, ZodQuery, type Principal } from '../../http-api';
import { OperationReplyInterceptor, OperationService, type OperationResult } from '../../integrations';
import { channelsInput, repliesInput, SlackOperations } from './slack.operations';
import { postMessageBody, type PostMessage } from './slack.service';

/** Doors of their own to Slack's operations. */
@UseInterceptors(OperationReplyInterceptor)
@Controller('v1/connections/:id/slack')
export class SlackController {
  constructor(
    private readonly operations: OperationService,
    private readonly slack: SlackOperations,
  ) {}

  /** The workspace's channels, asked live. */
  @RunsOperation('slack.channels.list')
  @Get('channels')
  channels(
    @CurrentUser() caller: Principal,
    @IdParam() connectionId: string,
    @ZodQuery(channelsInput) query: z.output<typeof channelsInput>,
  ): Promise<OperationResult> {
    return this.operations.run(this.slack.listChannels, query, { caller, connectionId });
  }

  /** A thread's replies, asked live. */
  @RunsOperation('slack.replies.list')
  @Get('replies')
  replies(
    @CurrentUser() caller: Principal,
    @IdParam() connectionId: string,
    @ZodQuery(repliesInput) query: z.output<typeof repliesInput>,
  ): Promise<OperationResult> {
    return this.operations.run(this.slack.listReplies, query, { caller, connectionId });
  }

  /** Posts a message as the app. Slack takes no idempotency key: one of doubtful outcome stays `outcome_unknown`. */
  @RunsOperation('slack.messages.send')
  @Post('messages')
  postMessage(
    @CurrentUser() caller: Principal,
    @IdParam() connectionId: string,
    @ZodBody(postMessageBody) body: PostMessage,
    @Headers('idempotency-key') idempotencyKey?: string,
  ): Promise<OperationResult> {
    return this.operations.run(this.slack.sendMessage, body, { caller, connectionId, idempotencyKey });
  }
}
