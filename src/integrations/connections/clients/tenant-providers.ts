import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asService, asStorageError, type RowOf } from '../../../database';
import { IntegrationError } from '../../../errors';
import type { ConnectionRef, Provider } from '../../contract';
import { ProviderRegistry } from '../../providers';
import { SecretBox } from '../tokens/secret-box';
import { clientSecretBinding } from './encrypted-table';
import type { OauthClientEntity } from './oauth-client.entity';

type ClientRow = Pick<RowOf<OauthClientEntity>, 'provider' | 'client_id' | 'secret'>;

/** Providers as an organization has them: with its own client where it has set one, else with the operator's. */
@Injectable()
export class TenantProviders {
  constructor(
    private readonly dataSource: DataSource,
    private readonly registry: ProviderRegistry,
    private readonly secrets: SecretBox,
  ) {}

  /** The operator's. @throws IntegrationError `provider_unknown` */
  get(key: string): Provider {
    return this.registry.get(key);
  }

  /**
   * To connect with. `client` is the id of the organization's own client, where it is one.
   * @throws IntegrationError `provider_unknown`, `provider_not_configured`
   */
  async toConnect(key: string, tenant: string): Promise<{ provider: Provider; client?: string }> {
    const base = this.registry.get(key);
    const [row] = base.withClient ? await this.rows(tenant, 'provider = $2 AND ended_at IS NULL', [key]) : [];
    if (row) return { provider: this.withClient(base, tenant, row), client: row.client_id };
    return { provider: configured(base) };
  }

  /** As `toConnect` gave it: the connect goes on with the client that it began with. @throws IntegrationError `provider_not_configured` */
  async begunWith(key: string, { tenant, client }: { readonly tenant: string; readonly client?: string }): Promise<Provider> {
    const base = this.registry.get(key);
    if (client === undefined) return configured(base);
    const [row] = await this.rows(tenant, 'provider = $2 AND client_id = $3 AND ended_at IS NULL', [key, client]);
    if (!row) throw new IntegrationError('provider_not_configured', { provider: key });
    return this.withClient(base, tenant, row);
  }

  /**
   * With the client that made the connection, in force or not: what one client was given is nothing to another.
   * @throws IntegrationError `provider_not_configured`: it is no longer kept
   */
  async of(base: Provider, { tenant, metadata }: Pick<ConnectionRef, 'tenant' | 'metadata'>): Promise<Provider> {
    const { clientId } = metadata;
    if (!base.withClient || typeof clientId !== 'string') return base;
    const [row] = await this.rows(tenant, 'provider = $2 AND client_id = $3', [base.key, clientId]);
    if (row) return this.withClient(base, tenant, row);
    throw new IntegrationError('provider_not_configured', {
      provider: base.key,
      detail: `The organization's own client at ${base.name}, with which this was connected, is no longer kept.`,
      nextStep: 'Let an administrator of the organization set it again, or connect anew.',
      notExecuted: true,
    });
  }

  /** All providers; those for which the organization has a client of its own are configured, and shown. */
  async seenBy(tenant: string, providers: readonly Provider[] = this.registry.all()): Promise<Provider[]> {
    const own = new Set((await this.rows(tenant, 'ended_at IS NULL', [])).map(({ provider }) => provider));
    return providers.map((each) => (own.has(each.key) && each.withClient ? { ...each, configured: true, offered: true } : each));
  }

  private withClient(base: Provider, tenant: string, { provider, client_id: clientId, secret }: ClientRow): Provider {
    const clientSecret = this.secrets.decrypt(secret, clientSecretBinding({ tenant, provider, clientId }));
    return base.withClient?.({ clientId, clientSecret }) ?? base;
  }

  /** A secret is read by the service, for the organization that is named. */
  private rows(tenant: string, where: string, params: readonly string[]): Promise<ClientRow[]> {
    return asService(() =>
      this.dataSource
        .query<ClientRow[]>(`SELECT provider, client_id, secret FROM oauth_clients WHERE tenant = $1 AND ${where}`, [tenant, ...params])
        .catch((error: unknown) => {
          throw asStorageError(error);
        }),
    );
  }
}

function configured(provider: Provider): Provider {
  if (!provider.configured) throw new IntegrationError('provider_not_configured', { provider: provider.key });
  return provider;
}
