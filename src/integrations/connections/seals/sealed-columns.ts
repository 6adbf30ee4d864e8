import type { ConnectionRow } from '../connection';

/** What the seal stands over, in its order, and the seal. */
export interface Sealed {
  readonly sealed: unknown;
  readonly seal: string | null;
}

/**
 * Whose a connection is, to which account, by what grant, where its calls go and who may use it. What is not in here may be changed in the
 * database and gives nobody anything: names, status, times.
 */
const COLUMNS = [
  'id',
  'tenant',
  'user_id',
  'provider',
  'account_id',
  'routing_key',
  'auth_type',
  'scopes',
  'grant_id',
  'slots',
  'used_by',
  'managed_by',
  'metadata',
] as const satisfies readonly (keyof ConnectionRow)[];

/** Both columns of `Sealed`, of a connection `c`. */
export const SEALED = `json_build_array(c.id, c.tenant, c.user_id, c.provider, c.account_id, c.routing_key, c.auth_type, c.scopes, c.grant_id, c.slots,
  c.used_by, c.managed_by, c.metadata) AS sealed, c.seal`;

/** The same from a row that was read as a whole. */
export function sealedOf(row: ConnectionRow): Sealed {
  return { sealed: COLUMNS.map((column) => row[column]), seal: row.seal };
}

/** The id of the connection. */
export function idOf({ sealed }: Sealed): string {
  return Array.isArray(sealed) ? String(sealed[0]) : '';
}
