import { bindingOf, keyOf, type EncryptedTable } from '../connections';

/** The place of a stored answer of an execution, in the words in which it was stored first. */
export const executionBinding = (tenant: string, executionId: string) => bindingOf(tenant, 'action', executionId, 'response');

export const EXECUTION_RESPONSES: EncryptedTable = {
  table: 'actions',
  columns: ['response'],
  needs: `response IS NOT NULL AND ${keyOf('response')} = $1 AND expires_at > now()`,
  pending: `SELECT a.id, a.tenant, '' AS connection_id, '' AS kind, ARRAY[a.response] AS secrets
    FROM actions a WHERE a.response IS NOT NULL AND ${keyOf('a.response')} <> $1 AND a.expires_at > now() AND a.id > $2
    ORDER BY a.id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED`,
  binding: (row) => executionBinding(row.tenant, row.id),
};
