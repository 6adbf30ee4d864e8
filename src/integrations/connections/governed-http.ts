import { Inject, Injectable } from '@nestjs/common';
import { CLOCK, type Clock } from '../../clock';
import type { ConnectionRef, Fetch } from '../contract';
import { providerFor, ProviderRegistry } from '../providers';
import { GovernedChain, type CallOptions } from '../outbound';
import { ConnectionStatusService } from './connection-status.service';
import { AuthInterceptor } from './tokens/auth.interceptor';
import { TokenService } from './tokens/token.service';

/** The one way out to a provider on behalf of a connection. */
@Injectable()
export class GovernedHttp {
  private readonly auth: AuthInterceptor;

  constructor(
    private readonly chain: GovernedChain,
    private readonly registry: ProviderRegistry,
    tokens: TokenService,
    statuses: ConnectionStatusService,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.auth = new AuthInterceptor(tokens, statuses, clock);
  }

  /**
   * A WHATWG `fetch` for the provider's SDK: it logs, keeps deadlines and limits, retries what may be retried, and sends the connection's token.
   * @returns successful answers as they are, their bodies read and checked unless `stream` is set
   * @throws IntegrationError for every other outcome; inside an SDK's own error use `callSdk` or `findIntegrationError`
   */
  fetchFor(connection: ConnectionRef, options: CallOptions = {}): Fetch {
    const provider = providerFor(this.registry.get(connection.provider), connection.metadata);
    return this.chain.fetchFor({ provider, connection, purpose: 'api', auth: this.auth, options });
  }
}
