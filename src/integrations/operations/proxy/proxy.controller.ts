import { All, Controller, Headers, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { IntegrationError } from '../../../errors';
import { type Principal, CurrentUser, type EdgeRequest, IdParam, ownUrl } from '../../../http-api';
import { isReplayed } from '../execution-outcome';
import { ProxyService } from './proxy.service';

/** The answer to a TRACE shows what was sent, the connection’s token with it (RFC 9110, 9.3.8). */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Calls of the product to a provider's API that has no route of its own here; answers are handed through. */
@ApiExcludeController()
@Controller('v1/connections/:id/proxy')
export class ProxyController {
  constructor(private readonly proxy: ProxyService) {}

  @All('*')
  async call(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @Req() request: EdgeRequest,
    @Res() reply: FastifyReply,
    @Headers('idempotency-key') idempotencyKey?: string,
  ): Promise<void> {
    const { method, headers } = request;
    if (!METHODS.has(method)) throw new IntegrationError('method_not_allowed');
    const left = new AbortController();
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) left.abort(); // an answer that ended well leaves nothing to stop
    });
    const body = hasBody(request) ? request.rawBody : undefined;
    const answer = await this.proxy
      .call(caller, id, { method, url: ownUrl(request), headers, body, idempotencyKey, signal: left.signal })
      .catch((error: unknown) => {
        if (isReplayed(error)) reply.header('idempotent-replayed', 'true');
        throw error;
      });
    reply.status(answer.status).headers(answer.headers);
    if (answer.replayed) reply.header('idempotent-replayed', 'true');
    await reply.send(answer.body);
  }
}

function hasBody({ method, rawBody }: EdgeRequest): boolean {
  return method !== 'GET' && method !== 'HEAD' && rawBody !== undefined && rawBody.length > 0;
}
