import { Readable } from 'node:stream';
import type { ReadableStream as WebReadableStream } from 'node:stream/web';
import { All, Controller, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ApiExcludeController, type Principal, CurrentUser, type EdgeRequest, IdParam } from '../../../http-api';
import { IntegrationError } from '../../../errors';
import { ConnectionRepository, toRef } from '../../connections';
import { ProviderRegistry } from '../../providers';
import { GovernedHttp } from '../../outbound';
import { proxyRequestHeaders, proxyResponseHeaders } from './proxy-headers';
import { proxyTarget } from './proxy-target';

/** The answer to a TRACE shows what was sent, the connection’s token with it (RFC 9110, 9.3.8). */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Calls of the product to a provider's API that has no route of its own here: governed like every other, answers handed through. */
@ApiExcludeController()
@Controller('v1/connections/:id/proxy')
export class ProxyController {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly registry: ProviderRegistry,
    private readonly http: GovernedHttp,
  ) {}

  @All('*')
  async call(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @Req() request: EdgeRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (!METHODS.has(request.method)) throw new IntegrationError('method_not_allowed');
    const { provider } = await this.connections.findFor(caller, id);
    const connection = toRef(await this.connections.findUsable(caller, provider, id));
    const target = proxyTarget(request.raw.url ?? '', this.registry.get(provider).apiBaseUrl);
    const left = new AbortController();
    reply.raw.once('close', () => left.abort());
    const fetch = this.http.fetchFor(connection, { operation: 'proxy', passThrough: true, stream: true, signal: left.signal });
    const body = hasBody(request) ? request.rawBody : undefined;
    const answer = await fetch(target, { method: request.method, headers: proxyRequestHeaders(request.headers), ...(body && { body }) });
    reply.status(answer.status).headers(proxyResponseHeaders(answer.headers));
    await reply.send(answer.body ? Readable.fromWeb(answer.body as WebReadableStream) : null);
  }
}

function hasBody({ method, rawBody }: EdgeRequest): boolean {
  return method !== 'GET' && method !== 'HEAD' && rawBody !== undefined && rawBody.length > 0;
}
