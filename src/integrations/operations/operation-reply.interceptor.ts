import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { catchError, map, type Observable } from 'rxjs';
import type { OperationResult } from './execution';
import { isReplayed } from './execution-outcome';

const REPLAYED = 'Idempotent-Replayed';

/** How a route answers with what `ExecutionService.run` gave it: its status and body, and a word on a stored answer, a stored failure too. */
export class OperationReplyInterceptor implements NestInterceptor<OperationResult, unknown> {
  intercept(context: ExecutionContext, next: CallHandler<OperationResult>): Observable<unknown> {
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
