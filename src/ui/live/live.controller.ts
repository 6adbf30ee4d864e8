import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { BrowserSessions, CurrentUser, HiddenPage, roleReaches, ZodPipe, type EdgeRequest, type SessionPrincipal } from '../../http-api';
import { IntegrationError } from '../../errors';
import { LIVE_TOPICS, type LiveTopic } from './live-topics';
import { PageStreams, type PageMessage } from './page-streams';

/** Server-sent events for open pages, over the session's cookie: an EventSource sends no bearer token. */
@Controller('live')
export class LiveController {
  constructor(
    private readonly streams: PageStreams,
    private readonly sessions: BrowserSessions,
  ) {}

  @HiddenPage()
  @Get(':topic')
  async follow(
    @CurrentUser() caller: SessionPrincipal,
    @Param('topic', new ZodPipe(z.enum(LIVE_TOPICS))) topic: LiveTopic,
    @Req() request: EdgeRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (topic !== 'cards' && !roleReaches(caller.role, 'admin')) throw new IntegrationError('forbidden');
    const closed = new AbortController();
    reply.raw.once('close', () => closed.abort());
    if (reply.raw.destroyed) closed.abort();
    const cookie = request.cookies[this.sessions.cookieName];
    const goesOn = async () => (await this.sessions.find(cookie)) !== undefined;
    const messages = await this.streams.follow({ topic, caller, signal: closed.signal, goesOn });
    void reply.header('content-type', 'text/event-stream').header('cache-control', 'no-store').header('x-accel-buffering', 'no');
    await reply.send(Readable.from(lines(messages)));
  }
}

async function* lines(messages: AsyncIterable<PageMessage>): AsyncGenerator<string> {
  yield 'retry: 2000\n\n';
  for await (const message of messages) yield `event: ${message}\ndata: {}\n\n`;
}
