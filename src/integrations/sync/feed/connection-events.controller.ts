import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { Answer, CurrentUser, IdParam, OpenToBrowserTokens, type EdgeRequest, type Principal } from '../../../http-api';
import { CLOCK, type Clock } from '../../../clock';
import { findIntegrationError } from '../../../errors';
import { ConnectionRepository } from '../../connections';
import { ConnectionStream } from './connection-stream';
import { listenerOf } from './open-streams';
import { LONGEST_MS, sentLines, STREAM_HEADERS } from './sent-events';
import { z } from 'zod';

@ApiTags('sync')
@Controller('v1/connections/:id/events')
export class ConnectionEventsController {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly stream: ConnectionStream,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Server-sent events: `sync` (a run as it goes on), `changes` (records changed, read them from the feed), `heartbeat`. */
  @Answer(z.string(), { type: 'text/event-stream', description: 'Events `sync`, `changes` and `heartbeat`' })
  @OpenToBrowserTokens()
  @Get()
  async events(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @Req() request: EdgeRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.connections.findFor(caller, id);
    const closed = new AbortController();
    reply.raw.once('close', () => closed.abort());
    if (reply.raw.destroyed) closed.abort();
    const latest = this.clock.now() + LONGEST_MS;
    const messages = this.stream.follow(id, {
      until: Math.min(request.callerEndsAt ?? latest, latest),
      signal: closed.signal,
      goesOn: async () => (await (request.callerGoesOn?.() ?? true)) && this.maySee(caller, id),
      user: listenerOf(caller),
    });
    await reply.headers(STREAM_HEADERS).send(Readable.from(sentLines(messages)));
  }

  /** Ends with the connection, and with the right to see it. */
  private async maySee(caller: Principal, id: string): Promise<boolean> {
    try {
      return (await this.connections.findFor(caller, id)).status !== 'disconnected';
    } catch (error) {
      if (findIntegrationError(error)?.code === 'connection_not_found') return false;
      throw error;
    }
  }
}
