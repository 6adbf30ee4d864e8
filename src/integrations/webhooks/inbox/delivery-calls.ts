import { Injectable } from '@nestjs/common';
import { asService } from '../../../database';
import { IntegrationError } from '../../../errors';
import { Slots } from '../../../slots';
import { AppHttp, ConnectionRepository, GovernedHttp, toRef } from '../../connections';
import type { Fetch, Provider, ProviderCall } from '../../contract';

/** Whose deliveries are asked about. */
export interface AskedFor {
  readonly provider: Provider;
  /** The one that the delivery is for; absent: the app's. */
  readonly connectionId?: string;
}

const OPTIONS = { operation: 'webhooks.verify', deadlineMs: 10_000 };
/** At the same time, of one provider: what comes beyond is sent away at once, to come again, and a flood of forgeries spends no more than this. */
const AT_ONCE = 8;
const RETRY_MS = 5_000;

/** Asks a provider about a delivery, before anybody knows whether the provider sent it: governed like every call, and bounded. */
@Injectable()
export class DeliveryCalls {
  private readonly slots = new Map<string, Slots>();

  constructor(
    private readonly connections: ConnectionRepository,
    private readonly http: GovernedHttp,
    private readonly app: AppHttp,
  ) {}

  /** @throws IntegrationError `busy` from the call where too many are asked about already */
  callFor({ provider, connectionId }: AskedFor): ProviderCall {
    return async (request) => {
      // Strangers know the app's address and not a connection's, so that theirs does not stop for a flood at the other.
      const slots = this.slotsOf(`${provider.key} ${connectionId === undefined ? 'app' : 'connections'}`);
      if (slots.free === 0) throw new IntegrationError('busy', { provider: provider.key, retryAfterMs: RETRY_MS, notExecuted: true });
      return slots.run(() =>
        asService(async () => {
          const { fetch, values } = await this.wayOut(provider, connectionId);
          return fetch(...request(values));
        }),
      );
    };
  }

  private async wayOut(provider: Provider, connectionId?: string): Promise<{ fetch: Fetch; values: Readonly<Record<string, unknown>> }> {
    if (connectionId === undefined) return { fetch: this.app.fetchFor(provider, OPTIONS), values: {} };
    const connection = await this.connections.findById(connectionId);
    if (!connection) throw new IntegrationError('connection_not_found', { notExecuted: true });
    const ref = toRef(connection);
    return { fetch: this.http.fetchFor(ref, OPTIONS), values: ref.metadata };
  }

  private slotsOf(key: string): Slots {
    const slots = this.slots.get(key) ?? new Slots(AT_ONCE);
    this.slots.set(key, slots);
    return slots;
  }
}
