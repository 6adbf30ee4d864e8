import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { isOpenToBrowsers, RouteTable } from './route-table';

/** What a page may send along, and read of an answer beside its body. */
const SENT = 'authorization, content-type, idempotency-key, x-request-id, traceparent';
const READ = 'retry-after, x-request-id';
/** How long a browser keeps the answer to its question, s. */
const MAX_AGE_S = 600;

/**
 * Which answers pages of other origins may read (https://fetch.spec.whatwg.org/#http-cors-protocol): those of the routes that take browser
 * tokens, for BROWSER_ORIGINS, and never with cookies. Others get no word of it, so that their browser keeps the answer from them.
 */
@Injectable()
export class CrossOrigin {
  constructor(
    private readonly routes: RouteTable,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** On the way in, so that a refusal can be read as well. @returns whether the request was answered: it was a browser's question */
  admit(request: FastifyRequest, reply: FastifyReply): boolean {
    const { origin } = request.headers;
    if (request.method === 'OPTIONS') return this.answerQuestion(request, reply);
    if (!isOpenToBrowsers(request.routeOptions)) return false;
    void reply.header('vary', 'Origin');
    if (origin !== undefined && this.isAllowed(origin))
      void reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': READ });
    return false;
  }

  private answerQuestion({ headers, url }: FastifyRequest, reply: FastifyReply): boolean {
    const { origin, 'access-control-request-method': method } = headers;
    if (origin === undefined || method === undefined) return false;
    const methods = this.routes.openToBrowsersAt(url);
    if (methods.length === 0) return false;
    void reply.header('vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers');
    if (this.isAllowed(origin))
      void reply.headers({
        'access-control-allow-origin': origin,
        'access-control-allow-methods': methods.join(', '),
        'access-control-allow-headers': SENT,
        'access-control-max-age': String(MAX_AGE_S),
      });
    void reply.status(204).send();
    return true;
  }

  private isAllowed(origin: string): boolean {
    return this.settings.browserOrigins.includes(origin);
  }
}
