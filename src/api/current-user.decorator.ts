import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { IntegrationError } from '../errors';
import type { Caller, SessionCaller } from './caller';
import type { EdgeRequest } from './request';

/** The verified caller: `@CurrentUser() caller: Caller` (on a page: `SessionCaller`). */
export const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext): Caller | SessionCaller => {
  const { caller } = context.switchToHttp().getRequest<EdgeRequest>();
  if (!caller) throw new IntegrationError('unauthorized');
  return caller;
});
