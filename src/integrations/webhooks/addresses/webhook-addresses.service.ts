import { createHash, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { CLOCK, type Clock } from '../../../clock';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { asService, asStorageError, type RowOf } from '../../../database';
import { IntegrationError } from '../../../errors';
import { AuditLog } from '../../audit';
import { SecretBox, type Connection } from '../../connections';
import { ProviderRegistry } from '../../providers';
import { addressSecretBinding } from './encrypted-table';
import type { WebhookAddressEntity } from './webhook-address.entity';

type AddressRow = Pick<RowOf<WebhookAddressEntity>, 'id' | 'connection_id' | 'tenant' | 'secret'>;

/** An address as the inbox needs it. */
export interface OpenedAddress {
  readonly connectionId: string;
  readonly tenant: string;
  readonly secret: string;
}

export interface NewAddress {
  readonly url: string;
  /** Ours, where none was given: shown once. */
  readonly secret?: string;
  readonly setAt: Date;
}

/** What `randomBytes(24)` makes; anything else cannot be one of ours. */
const TOKEN = /^[A-Za-z0-9_-]{32}$/;

const PUT = `INSERT INTO webhook_addresses (id, connection_id, tenant, provider, token_hash, secret, set_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (connection_id) DO UPDATE SET id = excluded.id, token_hash = excluded.token_hash, secret = excluded.secret, set_at = excluded.set_at`;

/** Addresses of single connections, for providers that sign with a secret of each account. */
@Injectable()
export class WebhookAddressesService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly registry: ProviderRegistry,
    private readonly secrets: SecretBox,
    private readonly audit: AuditLog,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** A new address in place of the one before, which takes nothing any more. @throws IntegrationError `not_supported` */
  async set({ id: connectionId, tenant, provider }: Connection, given?: string): Promise<NewAddress> {
    const { name, webhooks } = this.registry.get(provider);
    if (!webhooks?.withSecrets)
      throw new IntegrationError('not_supported', { provider, detail: `${name} delivers to one address for all its accounts.` });
    const id = uuidv7();
    const token = randomBytes(24).toString('base64url');
    const secret = given ?? `whsec_${randomBytes(24).toString('base64')}`;
    const sealed = this.secrets.encrypt(secret, addressSecretBinding(tenant, id));
    const setAt = new Date(this.clock.now());
    await this.audit.within({ tenant, action: 'webhook-address.set', target: `connection:${connectionId}` }, async (manager) => {
      await manager.query(PUT, [id, connectionId, tenant, provider, hashOf(token), sealed, setAt]);
    });
    return {
      url: `${this.settings.publicUrl}/webhooks/${provider}/${token}`,
      ...(given === undefined && { secret }),
      setAt,
    };
  }

  /** When it was set: neither the address nor the secret is known here. @throws IntegrationError `not_found` */
  async find({ id }: Connection): Promise<Date> {
    const [row] = await this.dataSource.query<Pick<RowOf<WebhookAddressEntity>, 'set_at'>[]>(
      'SELECT set_at FROM webhook_addresses WHERE connection_id = $1',
      [id],
    );
    if (!row) throw new IntegrationError('not_found', { detail: 'This connection has no address of its own.' });
    return row.set_at;
  }

  async end(connection: Connection): Promise<void> {
    await this.find(connection);
    const { id, tenant } = connection;
    await this.audit.within({ tenant, action: 'webhook-address.end', target: `connection:${id}` }, async (manager) => {
      await manager.query('DELETE FROM webhook_addresses WHERE connection_id = $1', [id]);
    });
  }

  /** The one that this token leads to; who delivers is nobody's caller, so the service looks. */
  async opened(provider: string, token: string): Promise<OpenedAddress | undefined> {
    if (!TOKEN.test(token)) return undefined;
    const [row] = await asService(() =>
      this.dataSource
        .query<AddressRow[]>('SELECT id, connection_id, tenant, secret FROM webhook_addresses WHERE token_hash = $1 AND provider = $2', [
          hashOf(token),
          provider,
        ])
        .catch((error: unknown) => {
          throw asStorageError(error);
        }),
    );
    if (!row) return undefined;
    const { id, connection_id: connectionId, tenant } = row;
    return { connectionId, tenant, secret: this.secrets.decrypt(row.secret, addressSecretBinding(tenant, id)) };
  }
}

/** It is random, so that a plain hash is enough. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
