import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a provider gave to our app for one of its accounts, apart from who may use it. Every connection that has tokens, or works, gets its grant;
 * those of one account share it. Keys that were pasted are each a grant of their own. Secrets stay as they are and where they are.
 */
export class Grants1764520000000 implements MigrationInterface {
  name = 'Grants1764520000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DELETE FROM tokens WHERE connection_id IS NULL');
    await runner.query('ALTER TABLE tokens ALTER COLUMN connection_id SET NOT NULL, DROP COLUMN grant_id, DROP COLUMN slot');
    await runner.query('DROP TRIGGER connections_forget_grant ON connections');
    await runner.query('DROP FUNCTION forget_grant');
    await runner.query('ALTER TABLE connections DROP COLUMN grant_id, DROP COLUMN slots, DROP COLUMN used_by');
    for (const table of ['connect_sessions', 'oauth_states'])
      await runner.query(`ALTER TABLE ${table} DROP COLUMN owner, DROP COLUMN used_by`);
    await runner.query('DROP TABLE grants');
  }
}

/** Of an account whose connections name it in several ways: a user's part of a Slack workspace is `T1:U1`. */
const ACCOUNT = `CASE WHEN c.auth_type = 'api_key' THEN '[' || to_json(c.tenant)::text || ',' || to_json(c.user_id)::text || ',' || to_json(c.account_id)::text || ']'
  WHEN c.provider = 'slack' THEN split_part(c.account_id, ':', 1) ELSE c.account_id END`;

const STATEMENTS = [
  // client: which app of ours; '' until an account of before is connected anew. account: what the provider knows the grant by.
  `CREATE TABLE grants (
    id uuid PRIMARY KEY, provider text NOT NULL, client text NOT NULL DEFAULT '', account text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), UNIQUE (provider, client, account))`,
  // slots: which of the grant's shared tokens the connection may use.
  `ALTER TABLE connections ADD COLUMN grant_id uuid REFERENCES grants ON DELETE SET NULL, ADD COLUMN slots text[] NOT NULL DEFAULT '{}'`,
  // Of an organization's connection (its user_id is empty): all of the tenant's users, or its admins only.
  `ALTER TABLE connections ADD COLUMN used_by text NOT NULL DEFAULT 'all'`,
  `ALTER TABLE connect_sessions ADD COLUMN owner text NOT NULL DEFAULT 'user', ADD COLUMN used_by text NOT NULL DEFAULT 'all'`,
  `ALTER TABLE oauth_states ADD COLUMN owner text NOT NULL DEFAULT 'user', ADD COLUMN used_by text NOT NULL DEFAULT 'all'`,
  `CREATE INDEX connections_by_grant ON connections (grant_id) WHERE grant_id IS NOT NULL`,
  // A token is of one connection alone, or lies in a slot of the grant and is shared by the connections that name the slot.
  `ALTER TABLE tokens ADD COLUMN grant_id uuid REFERENCES grants ON DELETE CASCADE, ADD COLUMN slot text,
    ALTER COLUMN connection_id DROP NOT NULL, ADD CHECK ((connection_id IS NULL) = (slot IS NOT NULL AND grant_id IS NOT NULL))`,
  `CREATE UNIQUE INDEX tokens_shared ON tokens (grant_id, slot) WHERE slot IS NOT NULL`,
  `INSERT INTO grants (id, provider, account)
   SELECT gen_random_uuid(), provider, account FROM (
     SELECT DISTINCT c.provider, ${ACCOUNT} AS account FROM connections c
     WHERE c.status = 'connected' OR EXISTS (SELECT 1 FROM tokens t WHERE t.connection_id = c.id)) known`,
  `UPDATE connections c SET grant_id = g.id FROM grants g
   WHERE g.provider = c.provider AND g.account = ${ACCOUNT}
     AND (c.status = 'connected' OR EXISTS (SELECT 1 FROM tokens t WHERE t.connection_id = c.id))`,
  // The last connection that is removed takes the grant and its tokens with it.
  `CREATE FUNCTION forget_grant() RETURNS trigger LANGUAGE plpgsql AS
   $$ BEGIN
     DELETE FROM grants g WHERE g.id = OLD.grant_id AND NOT EXISTS (SELECT 1 FROM connections c WHERE c.grant_id = g.id);
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER connections_forget_grant AFTER DELETE OR UPDATE OF grant_id ON connections
   FOR EACH ROW WHEN (OLD.grant_id IS NOT NULL) EXECUTE FUNCTION forget_grant()`,
];
