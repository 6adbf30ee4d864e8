import { keyOf, type EncryptedTable } from '../tokens/encrypted-table';
import { sealBinding } from './connection-seals';
import { SEALED } from './sealed-columns';

/** A seal is a secret with nothing in it: it moves to another key like the others, and only from a row that it fits. */
export const SEALS: EncryptedTable = {
  table: 'connections',
  columns: ['seal'],
  needs: `${keyOf('seal')} = $1`,
  pending: `SELECT c.id, c.tenant, c.id::text AS connection_id, '' AS kind, ARRAY[c.seal] AS secrets, ${SEALED}
    FROM connections c WHERE c.seal IS NOT NULL AND ${keyOf('c.seal')} <> $1 AND c.id > $2 ORDER BY c.id LIMIT $3 FOR NO KEY UPDATE OF c SKIP LOCKED`,
  binding: ({ sealed }) => sealBinding(sealed),
};
