import type { Clock } from '../../../clock';
import { IntegrationError } from '../../../errors';
import type { ConnectionRef } from '../../contract';
import { AnswerError, notMade, restated, settle, withCredential, type Call, type Interceptor, type Next } from '../../outbound';
import type { ConnectionStatusService } from '../connection-status.service';
import { RefusedAfterRenewal } from './refused-after-renewal';
import type { AccessToken, TokenService } from './token.service';

type Tokens = Pick<TokenService, 'accessToken' | 'heldToken'>;
type Statuses = Pick<ConnectionStatusService, 'markNeedsReauth'>;

/**
 * Gives the call its token; on "token expired" renews it once and replays once. A second refusal that says why ends the connection's
 * traffic; a bare one, after the provider has just renewed the grant, does so only where it goes on.
 */
export class AuthInterceptor implements Interceptor {
  private readonly refusals: RefusedAfterRenewal;

  constructor(
    private readonly tokens: Tokens,
    private readonly statuses: Statuses,
    clock: Clock,
  ) {
    this.refusals = new RefusedAfterRenewal(clock);
  }

  intercept(call: Call, next: Next): Promise<Response> {
    const held = call.signal.aborted ? undefined : this.tokens.heldToken(call.connection!, call.options.tokenKind);
    const send = (token: AccessToken) =>
      next(withCredential(call, token.accessToken)).catch((error: unknown) => this.refused(call, next, token, error));
    return held ? send(held) : this.token(call).then(send);
  }

  private async refused(call: Call, next: Next, token: AccessToken, error: unknown): Promise<Response> {
    const connection = call.connection!;
    if (!(error instanceof AnswerError)) throw error;
    if (error.grantEnded) throw await this.end(connection, token, error);
    if (!error.tokenExpired) throw error;
    // A key cannot be renewed: its refusal is final.
    if (connection.authType === 'api_key') throw await this.end(connection, token, error);
    // The grant was good a moment ago: another renewal would be spent for nothing.
    if (this.refusals.isPaused(connection.id)) throw refusedThoughRenewed(error);
    const renewed = await this.token(call, { version: token.version });
    try {
      const response = await next(withCredential(call, renewed.accessToken));
      this.refusals.forget(connection.id);
      return response;
    } catch (error) {
      if (!(error instanceof AnswerError) || !(error.grantEnded || error.tokenExpired)) throw error;
      const saysWhy = error.grantEnded || error.providerCode !== undefined;
      if (!saysWhy && !this.refusals.note(connection.id)) throw refusedThoughRenewed(error);
      this.refusals.forget(connection.id);
      throw await this.end(connection, renewed, error);
    }
  }

  private async token(call: Call, rejected?: { version: number }) {
    try {
      return await this.tokens.accessToken(call.connection!, {
        signal: call.signal,
        ...(call.options.tokenKind !== undefined && { kind: call.options.tokenKind }),
        ...(rejected && { rejected }),
      });
    } catch (error) {
      // The token call has its own retries: nobody further out repeats them, and the call itself was not made.
      const known = error instanceof IntegrationError ? error : new IntegrationError('internal_error', { cause: error });
      throw settle(known.notExecuted ? known : notMade(known));
    }
  }

  private async end(connection: ConnectionRef, refused: AccessToken, error: AnswerError): Promise<IntegrationError> {
    await this.statuses.markNeedsReauth(connection.id, {
      code: 'needs_reauth',
      ...(error.providerCode && { providerCode: error.providerCode }),
      // A grant that came in the meantime is not ended by a refusal of the old one.
      token: { id: refused.tokenId, version: refused.version },
    });
    if (error.code === 'needs_reauth' || error.code === 'not_connected') return error;
    return restated(error, 'needs_reauth');
  }
}

function refusedThoughRenewed({ provider, providerStatus, providerRequestId }: AnswerError): IntegrationError {
  return new IntegrationError('provider_rejected', {
    provider,
    providerStatus,
    providerRequestId,
    retryable: false,
    notExecuted: true,
    detail: 'The provider refused the call, although it has just renewed the access.',
    nextStep: 'Try again in some minutes.',
  });
}
