import { IntegrationError } from '../../errors';
import { requestContext } from '../../request-context';
import type { EdgeRequest } from '../request';
import type { Principal } from './principal';

/**
 * From now on the statements of this request are held to the caller's organization. Where its context was lost on the way, or is another request's,
 * they would be held to nothing, or to somebody else: so the request ends here.
 * @throws IntegrationError `internal_error`
 */
export function holdTo(request: Pick<EdgeRequest, 'id'>, caller: Principal): void {
  const known = requestContext.getStore();
  if (known?.requestId !== request.id) throw contextLost();
  known.principal = caller;
}

/** The same, as the handler begins: what stands between the guard and it may have lost the context. */
export function assertHeld({ id, caller }: Pick<EdgeRequest, 'id' | 'caller'>): void {
  const known = requestContext.getStore();
  if (known?.requestId !== id || known.principal !== caller) throw contextLost();
}

function contextLost(): IntegrationError {
  return new IntegrationError('internal_error', {
    cause: new Error('The asynchronous context of the request was lost: a callback on its way to the handler runs in another one.'),
  });
}
