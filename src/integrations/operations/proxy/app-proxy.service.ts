import { Injectable } from '@nestjs/common';
import { visibleTenant, type Principal } from '../../../http-api';
import { AuditLog } from '../../audit';
import { AppHttp, TenantProviders } from '../../connections';
import type { Provider } from '../../contract';
import { matchEndpoint } from '../../outbound';
import { ProxyExchange, type IncomingCall, type ProxiedAnswer, type WayOut } from './proxy-exchange';
import { proxyTarget } from './proxy-target';

/** Longest of an endpoint's name that is kept, as in the request log. */
const MAX_ENDPOINT = 300;

/**
 * Calls of an administrator to a provider as the app itself, by nobody's grant: an organization's with its own client, an operator's with the
 * operator's. Governed like every other call, and each of them in the audit.
 */
@Injectable()
export class AppProxyService {
  constructor(
    private readonly providers: TenantProviders,
    private readonly http: AppHttp,
    private readonly exchange: ProxyExchange,
    private readonly audit: AuditLog,
  ) {}

  /**
   * @throws IntegrationError `provider_unknown`, `not_supported`, `provider_not_configured`, `proxy_not_allowed`, `destination_refused`; with a
   * key those of `ExecutionService.run`
   */
  async call(caller: Principal, key: string, call: IncomingCall): Promise<ProxiedAnswer> {
    const tenant = visibleTenant(caller);
    const target = targetOf(this.providers.get(key), call);
    return this.audit.around({ action: 'app.call', tenant: tenant ?? '', target }, async () => {
      const provider = await this.providers.asApp(key, tenant);
      const request = this.exchange.allowed(provider, call, 'app');
      const way: WayOut = {
        connection: { provider: key },
        operation: 'app-proxy',
        within: [key, provider.app?.clientId ?? ''],
        fetchFor: (options) => this.http.fetchFor(provider, options, tenant),
      };
      return this.exchange.send(caller, way, request, call);
    });
  }
}

/** What is called: by the endpoint's name, never by the address, which may name a person's things; not at all where it leads elsewhere. */
function targetOf({ key, apiBaseUrl, http }: Provider, { method, url }: IncomingCall): string {
  const called = `app:${key} ${method}`;
  try {
    const { template } = matchEndpoint(http, method, proxyTarget(url, apiBaseUrl).pathname);
    return `${called} ${template.slice(0, MAX_ENDPOINT)}`;
  } catch {
    return called;
  }
}
