import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, type EntityManager, type Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { CLOCK, type Clock } from '../../../clock';
import { DATABASE } from '../../../database';
import { IntegrationError } from '../../../errors';
import { AuditLog, type AuditedAct } from '../../audit';
import type { OAuthClient, Provider } from '../../contract';
import { ProviderRegistry } from '../../providers';
import { SecretBox } from '../tokens/secret-box';
import { clientSecretBinding } from './encrypted-table';
import { OauthClientEntity } from './oauth-client.entity';
import { UNUSED_CLIENT } from './unused-clients';

const PUT = `INSERT INTO oauth_clients (id, tenant, provider, client_id, secret, set_by, set_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (tenant, provider, client_id) DO UPDATE SET secret = excluded.secret, set_by = excluded.set_by, set_at = excluded.set_at, ended_at = NULL`;

/** What an administrator does with the organization's own client at a provider. */
@Injectable()
export class OauthClientsService {
  constructor(
    @InjectRepository(OauthClientEntity, DATABASE) private readonly clients: Repository<OauthClientEntity>,
    private readonly registry: ProviderRegistry,
    private readonly secrets: SecretBox,
    private readonly audit: AuditLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The one in force, its secret never. @throws IntegrationError `provider_unknown`, `not_found` */
  async find(tenant: string, key: string): Promise<OauthClientEntity> {
    this.registry.get(key);
    const found = await this.clients.findOneBy({ tenant, provider: key, endedAt: IsNull() });
    if (!found) throw new IntegrationError('not_found', { detail: 'The organization has no client of its own at this provider.' });
    return found;
  }

  /**
   * New connections are made with it from now on. Set again with the same id, the secret takes the place of the one before, for connections that there are too.
   * @throws IntegrationError `provider_unknown`, `not_supported`, `invalid_request`
   */
  async set(caller: { readonly tenant: string; readonly userId: string }, key: string, client: OAuthClient): Promise<OauthClientEntity> {
    const provider = this.registry.get(key);
    assertTakes(provider, client);
    const { tenant, userId } = caller;
    const { clientId, clientSecret } = client;
    const secret = this.secrets.encrypt(clientSecret, clientSecretBinding({ tenant, provider: key, clientId }));
    await this.change({ tenant, action: 'client.set', target: `client:${key}:${clientId}` }, key, async (manager, now) => {
      await this.endInForce(manager, { tenant, provider: key }, now);
      await manager.query(PUT, [uuidv7({ msecs: now.getTime() }), tenant, key, clientId, secret, userId, now]);
    });
    return this.find(tenant, key);
  }

  /** Nothing is connected with it any more; what was goes on with it until it is disconnected. @throws IntegrationError as `find` */
  async end(tenant: string, key: string): Promise<void> {
    const { clientId } = await this.find(tenant, key);
    await this.change({ tenant, action: 'client.end', target: `client:${key}:${clientId}` }, key, (manager, now) =>
      this.endInForce(manager, { tenant, provider: key }, now),
    );
  }

  private async endInForce(manager: EntityManager, of: { tenant: string; provider: string }, endedAt: Date): Promise<void> {
    await manager.update(OauthClientEntity, { ...of, endedAt: IsNull() }, { endedAt });
  }

  private change(act: AuditedAct, key: string, work: (manager: EntityManager, now: Date) => Promise<void>): Promise<void> {
    return this.audit.within(act, async (manager) => {
      // Two administrators at once take turns.
      await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [JSON.stringify(['oauth-client', act.tenant, key])]);
      await work(manager, new Date(this.clock.now()));
      await manager.query(`DELETE FROM oauth_clients WHERE tenant = $1 AND provider = $2 AND ${UNUSED_CLIENT}`, [act.tenant, key]);
    });
  }
}

function assertTakes({ withClient, key, name, oauth2 }: Provider, { clientId }: OAuthClient): void {
  if (!withClient)
    throw new IntegrationError('not_supported', { provider: key, detail: `${name} takes no client of an organization's own.` });
  if (clientId === oauth2?.clientId)
    throw new IntegrationError('invalid_request', {
      detail: `clientId: this is the client of this service itself, with which ${name} is connected anyway.`,
      nextStep: `Register an app of your own at ${name} and send its id and secret.`,
    });
}
