import { bindingOf, keyOf, type EncryptedTable } from '../../connections';

/** The place of a secret that deliveries to one address are signed with. */
export const addressSecretBinding = (tenant: string, id: string) => bindingOf(tenant, 'webhook-address', id, 'secret');

export const ADDRESS_SECRETS: EncryptedTable = {
  table: 'webhook_addresses',
  columns: ['secret'],
  needs: `${keyOf('secret')} = $1`,
  pending: `SELECT a.id, a.tenant, '' AS connection_id, '' AS kind, ARRAY[a.secret] AS secrets
    FROM webhook_addresses a WHERE ${keyOf('a.secret')} <> $1 AND a.id > $2 ORDER BY a.id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED`,
  binding: ({ tenant, id }) => addressSecretBinding(tenant, id),
};
