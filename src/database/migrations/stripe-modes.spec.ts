import { v7 as uuidv7 } from 'uuid';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { StripeModes1764690001000 } from './1764690001000-stripe-modes';

describe('Connections to Stripe from before modes were told apart', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.close());
  const query = <Row>(sql: string, params: unknown[] = []) => database.dataSource.query<Row[]>(sql, params);

  async function insert(user: string, authType: string, livemode: boolean | null): Promise<void> {
    const grant = uuidv7();
    await query(
      `INSERT INTO grants (id, provider, client, account, created_at, updated_at) VALUES ($1, 'stripe', $2, 'acct_1', now(), now())`,
      [grant, user],
    );
    await query(
      `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status, metadata, grant_id)
       VALUES ($1, 'acme', $2, 'stripe', 'acct_1', 'Acme', 'acct_1', $3, 'connected', $4, $5)`,
      [uuidv7(), user, authType, JSON.stringify({ livemode }), grant],
    );
  }

  it('are moved with their grants as far as the mode is known; a pasted key gets no events until it is given again', async () => {
    await insert('live', 'oauth2', true);
    await insert('test', 'oauth2', false);
    await insert('key', 'api_key', null);
    const runner = database.dataSource.createQueryRunner();
    await new StripeModes1764690001000().up(runner);
    await runner.release();
    const rows = await query(
      'SELECT c.user_id, c.account_id, c.routing_key, g.account FROM connections c JOIN grants g ON g.id = c.grant_id ORDER BY c.user_id',
    );
    expect(rows).toEqual([
      { user_id: 'key', account_id: 'acct_1', routing_key: 'acct_1:unknown', account: 'acct_1' },
      { user_id: 'live', account_id: 'acct_1', routing_key: 'acct_1', account: 'acct_1' },
      { user_id: 'test', account_id: 'acct_1:test', routing_key: 'acct_1:test', account: 'acct_1:test' },
    ]);
  });
});
