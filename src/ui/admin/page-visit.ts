import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { callerOf, type EdgeRequest, type SessionPrincipal } from '../../http-api';

/** Who opens a page, with what is asked of it, and what it is answered with. */
export interface PageVisit {
  readonly caller: SessionPrincipal;
  readonly query: unknown;
  readonly request: EdgeRequest;
  readonly reply: FastifyReply;
}

/** `@Visit() visit: PageVisit`: all of it that the frame of a page needs. */
export const Visit = createParamDecorator((_: unknown, context: ExecutionContext): PageVisit => {
  const http = context.switchToHttp();
  const request = http.getRequest<EdgeRequest>();
  const caller = callerOf(request) as SessionPrincipal;
  return { caller, query: request.query, request, reply: http.getResponse<FastifyReply>() };
});
