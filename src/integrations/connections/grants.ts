import { v7 as uuidv7 } from 'uuid';
import { IntegrationError } from '../../errors';
import type { SqlRunner } from '../../database';
import type { ConnectionSeals } from './seals/connection-seals';

/** What identifies a grant. */
export interface GrantKey {
  readonly provider: string;
  /** Our app at the provider, which may be another one tomorrow. */
  readonly client: string;
  readonly account: string;
}

/** What was left of a grant when a connection let go of it. */
export interface Released {
  /** Nobody works with the grant any more: it may be ended at the provider. */
  readonly last: boolean;
  /** Ids of the tokens that were destroyed. */
  readonly tokens: readonly string[];
}

/** The grant, found or made. Its row stays locked until the transaction ends: who connects and who disconnects take turns. */
export async function grantFor(runner: SqlRunner, { provider, client, account }: GrantKey, at: Date): Promise<string> {
  // One from before our app's id was noted is taken over.
  await runner.query(
    `WITH taken AS (UPDATE grants SET client = $2 WHERE provider = $1 AND client = '' AND account = $3 AND $2 <> ''
       AND NOT EXISTS (SELECT 1 FROM grants o WHERE o.provider = $1 AND o.client = $2 AND o.account = $3) RETURNING id)
     SELECT id FROM taken`,
    [provider, client, account],
  );
  const [row] = await runner.query<{ id: string }>(
    `INSERT INTO grants (id, provider, client, account, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)
     ON CONFLICT (provider, client, account) DO UPDATE SET updated_at = excluded.updated_at RETURNING id`,
    [uuidv7(), provider, client, account, at],
  );
  if (!row) throw new IntegrationError('internal_error');
  return row.id;
}

/** Held until the transaction ends. Taken before a connection's own row, as in `grantFor`. */
export async function lockGrantOf(runner: SqlRunner, connectionId: string): Promise<void> {
  await runner.query('SELECT g.id FROM grants g WHERE g.id = (SELECT c.grant_id FROM connections c WHERE c.id = $1) FOR NO KEY UPDATE', [
    connectionId,
  ]);
}

/**
 * Condition: the connection `o` works with its grant, or has ended and is about to let go of it: who lets go after it is the last, and ends the
 * grant. One that was cut off there by a crash counts for no longer than letting go may take.
 */
const IS_ON_GRANT = `(o.status = 'connected' OR (o.status = 'disconnected' AND o.grant_id IS NOT NULL AND o.updated_at > now() - interval '2 minutes'))`;

/** A connection that has just been ended lets go: its own tokens are destroyed, and the shared ones that nobody works with any more. */
export async function releaseGrant(runner: SqlRunner, connectionId: string, seals: ConnectionSeals): Promise<Released> {
  await lockGrantOf(runner, connectionId);
  return seals.change(runner, [connectionId], () => letGo(runner, connectionId));
}

async function letGo(runner: SqlRunner, connectionId: string): Promise<Released> {
  const own = await runner.query<{ id: string }>(
    'WITH gone AS (DELETE FROM tokens WHERE connection_id = $1 RETURNING id) SELECT id FROM gone',
    [connectionId],
  );
  const shared = await dropUnusedTokens(runner, connectionId);
  const others = await runner.query(
    `SELECT 1 FROM connections o JOIN connections c ON c.grant_id = o.grant_id
     WHERE c.id = $1 AND o.id <> c.id AND ${IS_ON_GRANT} LIMIT 1`,
    [connectionId],
  );
  await runner.query(`UPDATE connections SET grant_id = NULL, slots = '{}' WHERE id = $1`, [connectionId]);
  return { last: others.length === 0, tokens: [...own, ...shared].map(({ id }) => id) };
}

/** Shared tokens of this connection's grant that no working connection may use. */
export async function dropUnusedTokens(runner: SqlRunner, connectionId: string): Promise<{ id: string }[]> {
  return runner.query<{ id: string }>(
    `WITH gone AS (DELETE FROM tokens t USING connections c
       WHERE c.id = $1 AND t.grant_id = c.grant_id AND t.slot IS NOT NULL AND NOT EXISTS (
         SELECT 1 FROM connections o WHERE o.grant_id = t.grant_id AND t.slot = ANY(o.slots) AND ((o.id = c.id AND o.status = 'connected') OR (o.id <> c.id AND ${IS_ON_GRANT})))
       RETURNING t.id)
     SELECT id FROM gone`,
    [connectionId],
  );
}

/** Condition: the connection `c` may use the token `t`. */
export const MAY_USE = '(t.connection_id = c.id OR (t.slot IS NOT NULL AND t.grant_id = c.grant_id AND t.slot = ANY(c.slots)))';
