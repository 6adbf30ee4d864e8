import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An account of Stripe is another one in test mode, with events of its own. Of a key that was pasted before nobody knows the mode any more: its
 * connection gets no events until the key is given again.
 */
export class StripeModes1764690001000 implements MigrationInterface {
  name = 'StripeModes1764690001000';

  async up(runner: QueryRunner): Promise<void> {
    const inTestMode = `provider = 'stripe' AND auth_type = 'oauth2' AND metadata->>'livemode' = 'false'`;
    await runner.query(`UPDATE grants SET account = account || ':test' WHERE id IN (SELECT grant_id FROM connections WHERE ${inTestMode})`);
    await runner.query(
      `UPDATE connections SET account_id = account_id || ':test', routing_key = routing_key || ':test' WHERE ${inTestMode}`,
    );
    await runner.query(
      `UPDATE connections SET routing_key = routing_key || ':unknown' WHERE provider = 'stripe' AND metadata->>'livemode' IS NULL`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`UPDATE grants SET account = regexp_replace(account, ':test$', '') WHERE provider = 'stripe'`);
    await runner.query(
      `UPDATE connections SET account_id = regexp_replace(account_id, ':test$', ''), routing_key = regexp_replace(routing_key, ':(test|unknown)$', '')
       WHERE provider = 'stripe'`,
    );
  }
}
