import { Logger } from '@nestjs/common';
import { tokenFixture, type TokenFixture } from '../../connect/testing/token-fixture';
import type { ConnectionRef } from '../../contract';
import { ConnectionSeals } from './connection-seals';

describe('A row of a connection that was changed in the database', () => {
  let fixture: TokenFixture;
  let connection: ConnectionRef;
  const query = <Row = unknown>(sql: string, params: unknown[] = []) => fixture.database.dataSource.query<Row[]>(sql, params);
  beforeAll(async () => {
    Logger.overrideLogger(false);
    fixture = await tokenFixture();
  });
  afterAll(() => fixture.close());
  beforeEach(async () => {
    connection = await fixture.connect('mail');
  });
  const viewer = { tenant: 'acme', userId: 'u1', role: 'operator' } as const;
  const ALTERED = { code: 'connection_altered', notExecuted: true };

  it.each([
    ['another person', `user_id = 'eve'`],
    ['the organization', `user_id = ''`],
    ['another organization', `tenant = 'third'`],
    ['another provider', `provider = 'chat'`],
    ['another account', `account_id = 'somebody'`],
    ['another key of webhooks', `routing_key = 'somebody'`],
    ['another kind of access', `auth_type = 'api_key'`],
    ['more scopes', `scopes = scopes || '{everything}'`],
    ['no grant', 'grant_id = NULL'],
    ['a slot of the grant', `slots = '{bot}'`],
    ['other users', `used_by = 'admins'`],
    ['other managers', `managed_by = 'all'`],
    ['another host of its calls', `metadata = metadata || '{"shop": "evil"}'`],
    ['the seal of another', `seal = (SELECT seal FROM connections o WHERE o.id <> connections.id LIMIT 1)`],
    ['no seal', 'seal = NULL'],
  ])('does nothing as %s, keeps its tokens, and works again once it is restored', async (_, change) => {
    await fixture.connect('mail'); // another one
    const account = { accountId: connection.accountId, accountName: 'Another organization’s' };
    await fixture.processes[0]!.connections.upsertConnected(fixture.database.dataSource.manager, {
      tenant: 'globex', // on the same grant
      userId: 'u1',
      provider: 'mail',
      authType: 'oauth2',
      account,
      scopes: [],
      at: new Date(),
    });
    const [process] = fixture.processes;
    const { repository, connections, disconnects } = process!;
    const before = await repository.load(connection.id);
    const [row] = await query<Record<string, unknown>>('SELECT * FROM connections WHERE id = $1', [connection.id]);
    await query(`UPDATE connections SET ${change} WHERE id = $1`, [connection.id]);

    await expect(connections.findById(connection.id)).rejects.toMatchObject(ALTERED);
    await expect(connections.findFor(viewer, connection.id)).rejects.toMatchObject(ALTERED);
    await expect(repository.load(connection.id)).rejects.toMatchObject(ALTERED);
    await expect(repository.loadAll(connection)).rejects.toMatchObject(ALTERED);
    await expect(process!.tokens.accessToken(connection)).rejects.toMatchObject(ALTERED);
    await expect(disconnects.disconnect(connection)).rejects.toMatchObject(ALTERED);
    const [shown] = (await connections.list(viewer, { limit: 100 })).filter(({ id }) => id === connection.id);
    expect(shown).toMatchObject({ accountId: '', accountName: '', metadata: {}, error: { code: 'connection_altered' } });

    await query(
      `UPDATE connections c SET (tenant, user_id, provider, account_id, routing_key, auth_type, scopes, grant_id, slots, used_by, managed_by, metadata, seal)
       = (SELECT o.tenant, o.user_id, o.provider, o.account_id, o.routing_key, o.auth_type, o.scopes, o.grant_id, o.slots, o.used_by, o.managed_by, o.metadata, o.seal
          FROM jsonb_populate_record(NULL::connections, $2) o) WHERE c.id = $1`,
      [connection.id, JSON.stringify(row)],
    );
    expect(await repository.load(connection.id)).toEqual(before);
    expect(await connections.findFor(viewer, connection.id)).toMatchObject({ status: 'connected', userId: 'u1' });
    expect((await process!.tokens.accessToken(connection)).accessToken).toBe(before!.accessToken);
  });

  it('is noted once, and forgotten once it is restored', async () => {
    const seals = fixture.processes[0]!.module.get(ConnectionSeals, { strict: false });
    const noted = async () =>
      (await query<{ any: boolean }>('SELECT altered_at IS NOT NULL AS any FROM connections WHERE id = $1', [connection.id]))[0]!.any;
    await query(`UPDATE connections SET user_id = 'eve' WHERE id = $1`, [connection.id]);
    await expect(fixture.processes[0]!.connections.findById(connection.id)).rejects.toMatchObject(ALTERED);
    while (!(await noted()));
    await seals.recheck();
    expect(await noted()).toBe(true);
    await query(`UPDATE connections SET user_id = 'u1' WHERE id = $1`, [connection.id]);
    await seals.recheck();
    expect(await noted()).toBe(false);
  });

  it('is made good by no other change of it', async () => {
    await query(`UPDATE connections SET user_id = '', used_by = 'all' WHERE id = $1`, [connection.id]);
    const { connections, repository } = fixture.processes[0]!;
    const { manager } = fixture.database.dataSource;
    await expect(connections.setPolicy(manager, connection.id, { managedBy: 'all' }, new Date())).rejects.toMatchObject(ALTERED);
    await expect(repository.save(manager, connection, [], { mode: 'replace', at: new Date() })).rejects.toMatchObject(ALTERED);
  });

  it('has the strictest policy where an organization connects the account anew', async () => {
    const { connections } = fixture.processes[0]!;
    const { manager } = fixture.database.dataSource;
    const account = { accountId: 'org', accountName: 'Org' };
    const fresh = { tenant: 'acme', userId: '', provider: 'mail', authType: 'oauth2', account, scopes: [], at: new Date() } as const;
    const { connection: made } = await connections.upsertConnected(manager, { ...fresh, policy: { usedBy: 'admins' } });
    await query(`UPDATE connections SET used_by = 'all', managed_by = 'all' WHERE id = $1`, [made.id]);
    expect((await connections.upsertConnected(manager, fresh)).connection).toMatchObject({
      id: made.id,
      usedBy: 'admins',
      managedBy: 'admins',
    });
    expect(await connections.findById(made.id)).toMatchObject({ usedBy: 'admins' });
  });
});
