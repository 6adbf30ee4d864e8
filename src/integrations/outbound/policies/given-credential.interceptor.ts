import type { ConnectionRef, Provider } from '../../contract';
import type { Call } from '../call';
import type { Interceptor, Next } from '../interceptor';

/** Sets a given credential: for token calls and keys that are being checked. */
export class GivenCredentialInterceptor implements Interceptor {
  constructor(
    private readonly credential: string | undefined,
    private readonly authType: ConnectionRef['authType'],
  ) {}

  intercept(call: Call, next: Next): Promise<Response> {
    return next(this.credential === undefined ? call : withCredential(call, this.credential, this.authType));
  }
}

export function withCredential(call: Call, accessToken: string, authType: ConnectionRef['authType'] = 'oauth2'): Call {
  // The call's own, and what an SDK put there is a placeholder.
  const { headers, url } = call.request;
  headers.delete('authorization');
  const { authorize } = call.provider.http;
  if (authorize) authorize(headers, { accessToken, connection: call.connection ?? nobody(call.provider, authType), url });
  else headers.set('authorization', `Bearer ${accessToken}`);
  return call;
}

/** Before the account is known there is a token, but no connection. */
function nobody(provider: Provider, authType: ConnectionRef['authType']): ConnectionRef {
  return { id: '', tenant: '', userId: '', provider: provider.key, accountId: '', authType, metadata: {} };
}
