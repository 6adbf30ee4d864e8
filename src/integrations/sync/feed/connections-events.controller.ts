import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { CLOCK, type Clock } from '../../../clock';
import { Answer, CurrentUser, OpenToBrowserTokens, type EdgeRequest, type Principal } from '../../../http-api';
import { ConnectionsStream } from './connections-stream';
import { LONGEST_MS, sentLines, STREAM_HEADERS } from './sent-events';

@ApiTags('connections')
@Controller('v1/connection-events')
export class ConnectionsEventsController {
  constructor(
    private readonly stream: ConnectionsStream,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The caller's own connections as they change, for a page that shows them: server-sent `connection` (with the run under way), `gone`, `ready` once all were told, `heartbeat`. */
  @OpenToBrowserTokens()
  @Answer(z.string(), { type: 'text/event-stream', description: 'Events `connection`, `gone`, `ready` and `heartbeat`' })
  @Get()
  async events(@CurrentUser() caller: Principal, @Req() request: EdgeRequest, @Res() reply: FastifyReply): Promise<void> {
    const closed = new AbortController();
    reply.raw.once('close', () => closed.abort());
    if (reply.raw.destroyed) closed.abort();
    const latest = this.clock.now() + LONGEST_MS;
    const messages = this.stream.follow({
      viewer: caller,
      until: Math.min(request.callerEndsAt ?? latest, latest),
      signal: closed.signal,
      goesOn: async () => (await request.callerGoesOn?.()) ?? true,
    });
    await reply.headers(STREAM_HEADERS).send(Readable.from(sentLines(messages)));
  }
}
