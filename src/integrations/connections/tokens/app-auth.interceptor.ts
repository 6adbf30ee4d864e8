import { unlessAborted } from '../../../deadline';
import { IntegrationError } from '../../../errors';
import { AnswerError, restated, settle, withCredential, type Call, type Interceptor, type Next } from '../../outbound';
import type { AppTokens } from './app-tokens';

/** Gives a call the app's own credential; a token that is refused is minted anew once, and the call replayed once. */
export class AppAuthInterceptor implements Interceptor {
  constructor(private readonly tokens: Pick<AppTokens, 'tokenOf'>) {}

  async intercept(call: Call, next: Next): Promise<Response> {
    const { app } = call.provider;
    if (app?.by === 'basic') return next(withBasic(call, app)).catch(misconfigured);
    const token = await this.token(call);
    try {
      return await next(withCredential(call, token));
    } catch (error) {
      if (!(error instanceof AnswerError) || !error.tokenExpired) throw error;
    }
    return next(withCredential(call, await this.token(call, token))).catch(misconfigured);
  }

  private async token(call: Call, rejected?: string): Promise<string> {
    try {
      return await unlessAborted(this.tokens.tokenOf(call.provider, rejected), call.signal);
    } catch (error) {
      // The token call has its own retries: nobody further out repeats them.
      throw error instanceof IntegrationError ? settle(error) : error;
    }
  }
}

function withBasic(call: Call, { clientId, clientSecret }: { clientId: string; clientSecret: string }): Call {
  call.request.headers.set('authorization', `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`);
  return call;
}

/** Nobody can connect anew for the app: its credentials are the operator's to mend. */
function misconfigured(error: unknown): never {
  if (!(error instanceof AnswerError) || !(error.tokenExpired || error.grantEnded)) throw error;
  throw restated(error, 'provider_misconfigured');
}
