import { v7 as uuidv7 } from 'uuid';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database';
import type { IncomingEvent } from '../../contract';
import { StoredPayload } from '../stored-payload';
import { insertDeliveries } from './inbox-insert';

describe('An event', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    const grant = uuidv7();
    await database.dataSource.query(`INSERT INTO grants (id, provider, account) VALUES ($1, 'chat', 'T1')`, [grant]);
    const insert = (tenant: string, status: string, slots: string[], grantId: string | null) =>
      database.dataSource.query(
        `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status, slots, grant_id)
         VALUES ($1, $2, $2, 'chat', 'T1', 'T1', 'T1', 'oauth2', $3, $4, $5)`,
        [uuidv7(), tenant, status, slots, grantId],
      );
    await insert('bot', 'connected', ['bot'], grant);
    await insert('both', 'connected', ['bot', 'user:U1'], grant);
    await insert('other person', 'connected', ['user:U2'], grant);
    await insert('of before', 'connected', [], grant);
    await insert('refused', 'needs_reauth', ['bot'], grant);
    await insert('ended', 'needs_reauth', [], null);
    await insert('gone', 'disconnected', [], null);
  });
  afterAll(() => database.close());

  async function tenantsOf(event: Partial<IncomingEvent>): Promise<unknown[]> {
    const eventId = uuidv7();
    const payload = new StoredPayload({}, Buffer.from('{}'));
    await insertDeliveries(database.dataSource, [
      { provider: 'chat', payload, events: [{ eventId, type: 'message', routingKey: 'T1', ...event }] },
    ]);
    const rows: { tenant: string }[] = await database.dataSource.query(
      'SELECT tenant FROM webhook_events WHERE event_id = $1 ORDER BY tenant',
      [eventId],
    );
    return rows.map(({ tenant }) => tenant);
  }

  it('that the installation may see goes to those who use it', async () => {
    expect(await tenantsOf({ seenBy: { slots: ['bot'], personal: false } })).toEqual(['bot', 'both', 'of before', 'refused']);
  });

  it('that one person may see reaches that person only', async () => {
    expect(await tenantsOf({ seenBy: { slots: ['user:U1'], personal: true } })).toEqual(['both']);
    expect(await tenantsOf({ seenBy: { slots: ['user:U3'], personal: true } })).toEqual([null]);
  });

  it('never reaches a grant that has ended', async () => {
    expect(await tenantsOf({})).toEqual(['bot', 'both', 'of before', 'other person', 'refused']);
  });
});
