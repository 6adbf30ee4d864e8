import { SEALED } from './seals/sealed-columns';

/**
 * Connections, for statements of other parts: this folder alone names the table. Stands behind FROM or JOIN, under a name; the planner
 * sees through it.
 */
export const CONNECTIONS = `(SELECT c.id, c.tenant, c.user_id, c.provider, c.account_id, c.account_name, c.routing_key, c.auth_type, c.status, c.error_code, c.metadata,
  ${SEALED} FROM connections c)`;

/** The client that a connection `k` was made with: the organization's own by its id, else the operator's, ''. */
const CLIENT = `coalesce(k.metadata->>'clientId', '')`;

/**
 * Those that an event `e` of a provider concerns, with `id` and `tenant`: one that was named, or each of the account whose grant may see
 * it (`e.seen_by`, slots; `e.personal`: none but those with a token of their own). One that has ended sees nothing. What was verified with
 * a client's secret (`e.client`, as `CLIENT` has it; null: with the operator's, or one of the named connection) is of the accounts and
 * watches of that client: to a connection of another it says nothing, though the ids are the same.
 */
export const RECEIVERS = `
  SELECT k.id, k.tenant FROM connections k
    WHERE e.connection_id IS NULL AND k.provider = e.provider AND k.routing_key = e.routing_key AND k.status <> 'disconnected'
      AND (k.status = 'connected' OR k.grant_id IS NOT NULL)
      AND (e.seen_by IS NULL OR e.seen_by && k.slots OR (k.slots = '{}' AND NOT e.personal)) AND ${CLIENT} = coalesce(e.client, '')
  UNION ALL
  SELECT k.id, k.tenant FROM connections k
    WHERE k.id = e.connection_id AND k.provider = e.provider AND k.status <> 'disconnected' AND (e.client IS NULL OR ${CLIENT} = e.client)`;
