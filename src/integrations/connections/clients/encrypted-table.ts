import { bindingOf } from '../tokens/secret-box';
import { keyOf, type EncryptedTable } from '../tokens/encrypted-table';

/** The place of a client's secret: it opens for no other organization, provider or client. */
export const clientSecretBinding = ({ tenant, provider, clientId }: { tenant: string; provider: string; clientId: string }) =>
  bindingOf(tenant, 'oauth-client', provider, clientId, 'secret');

export const CLIENT_SECRETS: EncryptedTable = {
  table: 'oauth_clients',
  columns: ['secret'],
  needs: `${keyOf('secret')} = $1`,
  pending: `SELECT o.id, o.tenant, '' AS connection_id, '' AS kind, o.provider, o.client_id, ARRAY[o.secret] AS secrets
    FROM oauth_clients o WHERE ${keyOf('o.secret')} <> $1 AND o.id > $2 ORDER BY o.id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED`,
  binding: ({ tenant, provider = '', client_id: clientId = '' }) => clientSecretBinding({ tenant, provider, clientId }),
};
