import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asService, asStorageError, type RowOf } from '../../../database';
import { IntegrationError } from '../../../errors';
import type { ConnectionRef, Provider } from '../../contract';
import { ProviderRegistry } from '../../providers';
import { SecretBox } from '../tokens/secret-box';
import { clientSecretBinding } from './encrypted-table';
import type { OauthClientEntity } from './oauth-client.entity';

type ClientRow = Pick<RowOf<OauthClientEntity>, 'id' | 'tenant' | 'provider' | 'client_id' | 'secret'>;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

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
    const row = await this.inForce(base, tenant);
    if (row) return { provider: this.withClient(base, tenant, row), client: row.client_id };
    return { provider: configured(base) };
  }

  /**
   * To call as the app itself: the organization's own, in whose place the operator's is never taken; without an organization the operator's.
   * @throws IntegrationError `provider_unknown`, `not_supported`, `provider_not_configured`
   */
  async asApp(key: string, tenant: string | undefined): Promise<Provider> {
    const base = this.registry.get(key);
    const { name } = base;
    if (!base.takesApp) throw new IntegrationError('not_supported', { provider: key, detail: `${name} is not called as an app itself.` });
    const row = tenant === undefined ? undefined : await this.inForce(base, tenant);
    if (row) return this.withClient(base, row.tenant, row);
    if (tenant === undefined && base.app) return base;
    throw new IntegrationError('provider_not_configured', {
      provider: key,
      notExecuted: true,
      ...(tenant === undefined
        ? { detail: `This server has no client of its own at ${name}.` }
        : {
            detail: `The organization has no client of its own at ${name}, and the operator's is not used for it.`,
            nextStep: base.withClient
              ? `Register an app at ${name} and set it with PUT /v1/admin/providers/${key}/client.`
              : 'Ask an operator to make the call.',
          }),
    });
  }

  /** As `toConnect` gave it: the connect goes on with the client that it began with. @throws IntegrationError `provider_not_configured` */
  async begunWith(key: string, { tenant, client }: { readonly tenant: string; readonly client?: string }): Promise<Provider> {
    const base = this.registry.get(key);
    if (client === undefined) return configured(base);
    const [row] = await this.rows('tenant = $1 AND provider = $2 AND client_id = $3 AND ended_at IS NULL', [tenant, key, client]);
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
    const [row] = await this.rows('tenant = $1 AND provider = $2 AND client_id = $3', [tenant, base.key, clientId]);
    if (row) return this.withClient(base, tenant, row);
    throw new IntegrationError('provider_not_configured', {
      provider: base.key,
      detail: `The organization's own client at ${base.name}, with which this was connected, is no longer kept.`,
      nextStep: 'Let an administrator of the organization set it again, or connect anew.',
      notExecuted: true,
    });
  }

  /**
   * Where deliveries for a connection go to: to the address of the client that made it, where that client's secret signs them.
   * @returns the path below `PUBLIC_URL`
   */
  async deliveryPath(base: Provider, { tenant, metadata }: Pick<ConnectionRef, 'tenant' | 'metadata'>): Promise<string> {
    const { clientId } = metadata;
    const shared = `/webhooks/${base.key}`;
    if (!base.withClient || !base.webhooks?.signedByClient || typeof clientId !== 'string') return shared;
    const [row] = await this.rows('tenant = $1 AND provider = $2 AND client_id = $3', [tenant, base.key, clientId]);
    return row ? `${shared}/${row.id}` : shared;
  }

  /** Whose address this is, with the client's own secret to verify with. It proves nothing by itself: the signature does. */
  async atAddress(base: Provider, address: string): Promise<{ provider: Provider; tenant: string; clientId: string } | undefined> {
    if (!base.withClient || !base.webhooks?.signedByClient || !UUID.test(address)) return undefined;
    const [row] = await this.rows('id = $1 AND provider = $2', [address, base.key]);
    return row && { provider: this.withClient(base, row.tenant, row), tenant: row.tenant, clientId: row.client_id };
  }

  /** All providers; those for which the organization has a client of its own are configured, and shown. */
  async seenBy(tenant: string, providers: readonly Provider[] = this.registry.all()): Promise<Provider[]> {
    const own = new Set((await this.rows('tenant = $1 AND ended_at IS NULL', [tenant])).map(({ provider }) => provider));
    return providers.map((each) => (own.has(each.key) && each.withClient ? { ...each, configured: true, offered: true } : each));
  }

  private async inForce(base: Provider, tenant: string): Promise<ClientRow | undefined> {
    const [row] = base.withClient ? await this.rows('tenant = $1 AND provider = $2 AND ended_at IS NULL', [tenant, base.key]) : [];
    return row;
  }

  private withClient(base: Provider, tenant: string, { provider, client_id: clientId, secret }: ClientRow): Provider {
    const clientSecret = this.secrets.decrypt(secret, clientSecretBinding({ tenant, provider, clientId }));
    return base.withClient?.({ clientId, clientSecret }) ?? base;
  }

  /** A secret is read by the service, for the organization or the client that is named. */
  private rows(where: string, params: readonly string[]): Promise<ClientRow[]> {
    return asService(() =>
      this.dataSource
        .query<ClientRow[]>(`SELECT id, tenant, provider, client_id, secret FROM oauth_clients WHERE ${where}`, [...params])
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
