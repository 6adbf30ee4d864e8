import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { IntegrationError } from '../../errors';
import { assertHeld } from './held-caller';
import type { Principal, SessionPrincipal } from './principal';
import type { EdgeRequest } from '../request';

/** The verified caller: `@CurrentUser() caller: Principal` (on a page: `SessionPrincipal`). */
export const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext): Principal | SessionPrincipal => {
  return callerOf(context.switchToHttp().getRequest<EdgeRequest>());
});

/** @throws IntegrationError `unauthorized` */
export function callerOf(request: EdgeRequest): Principal | SessionPrincipal {
  if (!request.caller) throw new IntegrationError('unauthorized');
  assertHeld(request);
  return request.caller;
}
