import { bindingOf, keyOf, type EncryptedTable } from '../connections';

/** The place of a secret that signs what goes to a destination. */
export const destinationSecretBinding = (tenant: string, secretId: string) => bindingOf(tenant, 'destination', secretId, 'secret');

export const DESTINATION_SECRETS: EncryptedTable = {
  table: 'destination_secrets',
  columns: ['secret'],
  needs: `${keyOf('secret')} = $1`,
  pending: `SELECT s.id, s.tenant, '' AS connection_id, '' AS kind, ARRAY[s.secret] AS secrets
    FROM destination_secrets s WHERE ${keyOf('s.secret')} <> $1 AND s.id > $2 ORDER BY s.id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED`,
  binding: (row) => destinationSecretBinding(row.tenant, row.id),
};
