import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { IntegrationError } from '../../errors';
import type { Principal, SessionPrincipal } from './principal';
import type { EdgeRequest } from '../request';

/** The verified caller: `@CurrentUser() caller: Principal` (on a page: `SessionPrincipal`). */
export const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext): Principal | SessionPrincipal => {
  const { caller } = context.switchToHttp().getRequest<EdgeRequest>();
  if (!caller) throw new IntegrationError('unauthorized');
  return caller;
});
