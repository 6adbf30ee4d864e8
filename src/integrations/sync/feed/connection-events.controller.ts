import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { Answer, CurrentUser, IdParam, type EdgeRequest, type Principal } from '../../../http-api';
import { CLOCK, type Clock } from '../../../clock';
import { findIntegrationError } from '../../../errors';
import { ConnectionRepository } from '../../connections';
import { ConnectionStream, type StreamMessage } from './connection-stream';
import { z } from 'zod';

/** A stream ends after this at the latest; the browser opens it again, with a fresh token. */
const LONGEST_MS = 60 * 60_000;

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
      goesOn: () => this.maySee(caller, id),
      user: JSON.stringify([caller.tenant, caller.userId]),
    });
    void reply.header('content-type', 'text/event-stream').header('cache-control', 'no-store').header('x-accel-buffering', 'no');
    await reply.send(Readable.from(lines(messages)));
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

async function* lines(messages: AsyncIterable<StreamMessage>): AsyncGenerator<string> {
  yield 'retry: 3000\n\n';
  for await (const { type, data } of messages) yield `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
