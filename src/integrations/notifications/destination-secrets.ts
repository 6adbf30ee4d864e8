import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { SqlRunner } from '../../database';
import { SecretBox } from '../connections';
import { destinationSecretBinding } from './encrypted-table';
import type { StoredSecret } from './claimed-delivery';
import { DestinationSecretEntity } from './destination-secret.entity';

/** More than a receiver looks at would be of no use. */
const MAX_GOOD = 5;

/** What signs, encrypted where it is stored. A plain secret leaves here twice: to whoever asked for it when it was made, and to the signature. */
@Injectable()
export class DestinationSecrets {
  constructor(private readonly box: SecretBox) {}

  /** @returns the plain secret, to be shown once */
  async create(manager: EntityManager, destination: { readonly id: string; readonly tenant: string }, at: Date): Promise<string> {
    const plain = `whsec_${randomBytes(32).toString('base64')}`;
    const id = uuidv7();
    const secret = this.box.encrypt(plain, destinationSecretBinding(destination.tenant, id));
    await manager.insert(DestinationSecretEntity, { id, destinationId: destination.id, tenant: destination.tenant, secret, createdAt: at });
    return plain;
  }

  /** A new one signs from now on; those before it sign as well until `until`. */
  async rotate(
    manager: EntityManager,
    destination: { readonly id: string; readonly tenant: string },
    at: Date,
    until: Date,
  ): Promise<string> {
    await manager.query('UPDATE destination_secrets SET expires_at = least(coalesce(expires_at, $2), $2) WHERE destination_id = $1', [
      destination.id,
      until,
    ]);
    await manager.query(
      `DELETE FROM destination_secrets WHERE destination_id = $1 AND (expires_at <= $2 OR id NOT IN (
         SELECT id FROM destination_secrets WHERE destination_id = $1 ORDER BY created_at DESC, id DESC LIMIT ${MAX_GOOD - 1}))`,
      [destination.id, at],
    );
    return this.create(manager, destination, at);
  }

  /** Those that sign now, newest first. */
  signing(runner: SqlRunner, destinationId: string, at: Date): Promise<StoredSecret[]> {
    return runner.query<StoredSecret>(
      'SELECT id, secret FROM destination_secrets WHERE destination_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY created_at DESC, id DESC',
      [destinationId, at],
    );
  }

  /** @throws IntegrationError `decryption_failed` */
  open(tenant: string, stored: readonly StoredSecret[]): string[] {
    return stored.map(({ id, secret }) => this.box.decrypt(secret, destinationSecretBinding(tenant, id)));
  }
}
