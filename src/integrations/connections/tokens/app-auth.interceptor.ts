import { unlessAborted } from '../../../deadline';
import { IntegrationError } from '../../../errors';
import { AnswerError, restated, settle, withCredential, type Call, type Interceptor, type Next } from '../../outbound';
import type { AppBySecret } from '../../contract';
import type { AppTokens } from './app-tokens';

/** Gives a call the app's own credential; a token that is refused is minted anew once, and the call replayed once. What it signs itself is new anyway. */
export class AppAuthInterceptor implements Interceptor {
  constructor(private readonly tokens: Pick<AppTokens, 'tokenOf'>) {}

  async intercept(call: Call, next: Next): Promise<Response> {
    const { app } = call.provider;
    if (app?.by === 'basic') return refusedForGood(call, next(withBasic(call, app)));
    const token = await this.token(call);
    if (app?.by === 'jwt') return refusedForGood(call, next(withCredential(call, token)));
    try {
      return await next(withCredential(call, token));
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    return next(withCredential(call, await this.token(call, token))).catch((error: unknown) => {
      throw isRefusal(error) ? callRefused(call, error) : error;
    });
  }

  private async token(call: Call, rejected?: string): Promise<string> {
    try {
      return await unlessAborted(this.tokens.tokenOf(call.provider, rejected), call.signal);
    } catch (error) {
      if (!(error instanceof IntegrationError)) throw error;
      // The token call has its own retries: nobody further out repeats them.
      throw settle(MINTING_REFUSED.has(error.code) ? credentialsRefused(call, error) : error);
    }
  }
}

/** What the token endpoint says of an id and a secret that it does not take, by whom it thinks they were filled in. */
const MINTING_REFUSED: ReadonlySet<string> = new Set(['needs_reauth', 'provider_misconfigured']);

function withBasic(call: Call, { clientId, clientSecret, headers = {} }: AppBySecret): Call {
  for (const [name, value] of Object.entries(headers)) call.request.headers.set(name, value);
  call.request.headers.set('authorization', `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`);
  return call;
}

function isRefusal(error: unknown): error is AnswerError {
  return error instanceof AnswerError && (error.tokenExpired || error.grantEnded);
}

/** There is no other credential to try: a refusal is of what was set up. */
function refusedForGood(call: Call, answer: Promise<Response>): Promise<Response> {
  return answer.catch((error: unknown) => {
    throw isRefusal(error) ? credentialsRefused(call, error) : error;
  });
}

/** Nobody can connect anew for an app: its credentials are for whoever set them to mend, the operator or the organization. */
function credentialsRefused({ provider, app }: Call, error: IntegrationError): IntegrationError {
  if (app?.tenant === undefined) return restated(error, 'provider_misconfigured');
  return restated(error, 'credentials_rejected', {
    detail: `${provider.name} does not accept the id and secret of the organization's own client.`,
    nextStep: `Set them anew with PUT /v1/admin/providers/${provider.key}/client.`,
  });
}

/** The token was minted for this very call, so it is not the credentials that are wrong. */
function callRefused({ provider }: Call, error: IntegrationError): IntegrationError {
  return restated(error, 'provider_forbidden', {
    detail: `${provider.name} takes the app's credentials, and refuses this call by the app itself.`,
    nextStep: 'Make it with the connection of a person, or see in the provider’s reference what the app needs for it.',
  });
}
