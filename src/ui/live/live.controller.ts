import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { z } from 'zod';
import {
  BrowserSessions,
  CurrentUser,
  HiddenPage,
  IdParam,
  roleReaches,
  ZodPipe,
  type EdgeRequest,
  type SessionPrincipal,
} from '../../http-api';
import { IntegrationError } from '../../errors';
import { isAboutOne, LIVE_TOPICS, type LiveTopic, type WatchedTopic } from './live-topics';
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
  followList(
    @CurrentUser() caller: SessionPrincipal,
    @Param('topic', new ZodPipe(z.enum(LIVE_TOPICS))) topic: LiveTopic,
    @Req() request: EdgeRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.follow({ topic, caller }, request, reply);
  }

  /** What is about one thing. */
  @HiddenPage()
  @Get(':topic/:id')
  followOne(
    @CurrentUser() caller: SessionPrincipal,
    @Param('topic', new ZodPipe(z.enum(LIVE_TOPICS))) topic: LiveTopic,
    @IdParam('id', 'not_found') id: string,
    @Req() request: EdgeRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.follow({ topic, id, caller }, request, reply);
  }

  private async follow({ topic, id, caller }: WatchedTopic, request: EdgeRequest, reply: FastifyReply): Promise<void> {
    if (topic !== 'cards' && !roleReaches(caller.role, 'admin')) throw new IntegrationError('forbidden');
    if (isAboutOne(topic) !== (id !== undefined)) throw new IntegrationError('not_found');
    const closed = new AbortController();
    reply.raw.once('close', () => closed.abort());
    if (reply.raw.destroyed) closed.abort();
    const cookie = request.cookies[this.sessions.cookieName];
    const goesOn = async () => (await this.sessions.find(cookie)) !== undefined;
    const messages = await this.streams.follow({ topic, id, caller, signal: closed.signal, goesOn });
    void reply.header('content-type', 'text/event-stream').header('cache-control', 'no-store').header('x-accel-buffering', 'no');
    await reply.send(Readable.from(lines(messages)));
  }
}

async function* lines(messages: AsyncIterable<PageMessage>): AsyncGenerator<string> {
  yield 'retry: 2000\n\n';
  for await (const message of messages) yield `event: ${message}\ndata: {}\n\n`;
}
