import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { catchError, map, type Observable } from 'rxjs';
import type { ActionResult } from './action';
import { isReplayed } from './action-outcome';

const REPLAYED = 'Idempotent-Replayed';

/** How a route answers with what `ActionService.run` gave it: its status and body, and a word on a stored answer, a stored failure too. */
export class ActionReplyInterceptor implements NestInterceptor<ActionResult, unknown> {
  intercept(context: ExecutionContext, next: CallHandler<ActionResult>): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      map(({ status, body, replayed }) => {
        if (replayed) reply.header(REPLAYED, 'true');
        reply.status(status);
        return body;
      }),
      catchError((error: unknown) => {
        if (isReplayed(error)) reply.header(REPLAYED, 'true');
        throw error;
      }),
    );
  }
}
