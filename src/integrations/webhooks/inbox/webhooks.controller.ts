import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type EdgeRequest, ownUrl, Public } from '../../../http-api';
import { CLOCK, type Clock } from '../../../clock';
import { WebhookInbox } from '../webhook-inbox';

const EMPTY = Buffer.alloc(0);

/** Where providers deliver. The body is the untouched Buffer, whatever its content type says. */
@ApiTags('webhooks')
@Controller('webhooks')
export class WebhooksController {
  constructor(
    private readonly inbox: WebhookInbox,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post(':provider')
  @Public()
  @ApiOperation({ summary: 'Takes a signed delivery: 200 once it is stored' })
  async receive(@Param('provider') provider: string, @Req() request: EdgeRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.answer(provider, request, reply);
  }

  @Get(':provider')
  @Public()
  @ApiOperation({ summary: 'Answers a provider that asks whether this address is ours' })
  async challenge(@Param('provider') provider: string, @Req() request: EdgeRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.answer(provider, request, reply);
  }

  @Post(':provider/:address')
  @Public()
  @ApiOperation({ summary: 'Takes a signed delivery for one connection: 200 once it is stored' })
  async receiveForOne(
    @Param('provider') provider: string,
    @Param('address') address: string,
    @Req() request: EdgeRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.answer(provider, request, reply, address);
  }

  @Get(':provider/:address')
  @Public()
  @ApiOperation({ summary: 'Answers a provider that asks whether a connection’s address is ours' })
  async challengeForOne(
    @Param('provider') provider: string,
    @Param('address') address: string,
    @Req() request: EdgeRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.answer(provider, request, reply, address);
  }

  private async answer(provider: string, request: EdgeRequest, reply: FastifyReply, address?: string): Promise<void> {
    const body = Buffer.isBuffer(request.body) ? request.body : EMPTY;
    const { method, headers } = request;
    const url = ownUrl(request);
    const answer = await this.inbox.receive(provider, { method, url, headers, body, receivedAt: this.clock.now() }, address);
    // Not awaited: a reply is a promise of its own socket, and to watch that costs more than to answer.
    void reply
      .status(answer.status)
      .headers(answer.headers ?? {})
      .type(answer.contentType ?? 'text/plain; charset=utf-8')
      .send(answer.body ?? '');
  }
}
