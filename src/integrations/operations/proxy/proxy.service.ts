import { Injectable } from '@nestjs/common';
import { findIntegrationError } from '../../../errors';
import type { Principal } from '../../../http-api';
import { AuditLog } from '../../audit';
import { assertUsable, ConnectionRepository, GovernedHttp, isOwn, toRef } from '../../connections';
import { providerFor, ProviderRegistry } from '../../providers';
import { changes, ProxyExchange, type IncomingCall, type ProxiedAnswer, type WayOut } from './proxy-exchange';
import type { ProxiedRequest } from './proxy-policy';

/** Calls of the product to a provider's API that has no route of its own here: governed like every other, idempotent where a key is given. */
@Injectable()
export class ProxyService {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly registry: ProviderRegistry,
    private readonly http: GovernedHttp,
    private readonly exchange: ProxyExchange,
    private readonly audit: AuditLog,
  ) {}

  /** @throws IntegrationError `proxy_not_allowed`, `destination_refused`; with a key those of `ExecutionService.run` */
  async call(caller: Principal, id: string, call: IncomingCall): Promise<ProxiedAnswer> {
    const found = await this.connections.findFor(caller, id);
    assertUsable(caller, found);
    const connection = toRef(found);
    const { provider: key } = connection;
    const provider = providerFor(this.registry.get(key), connection.metadata);
    // The path may name a person's things; the endpoint does not.
    const act = { action: 'proxy.call' as const, tenant: connection.tenant, target: `${key} ${call.method} connection:${id}` };
    let request: ProxiedRequest;
    try {
      request = this.exchange.allowed(provider, call, 'connection');
    } catch (refusal) {
      // Whoever tries another account or endpoint than may be called is to be found, a read as well.
      await this.audit.record(act, findIntegrationError(refusal)?.code ?? 'internal_error');
      throw refusal;
    }
    const way: WayOut = { connection, operation: 'proxy', fetchFor: (options) => this.http.fetchFor(connection, options) };
    const send = () => this.exchange.send(caller, way, request, call);
    if (!changes(call) && isOwn(caller, connection)) return send();
    return this.audit.around(act, send);
  }
}
