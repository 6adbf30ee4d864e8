import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { sealsOn } from '../../../test/support/seals';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { ConnectionRepository, SecretBox, TokenRepository, bindingOf, type Connection } from '../../integrations/connections';
import { SharedTokens } from '../../integrations/connections/tokens/shared-tokens';
import { ProviderRegistry } from '../../integrations/providers';
import type { Provider } from '../../integrations';
import { Grants1764520000000 } from './1764520000000-grants';

const slack = {
  key: 'slack',
  name: 'Slack',
  auth: { slotOf: (kind: string, { authedUserId }: Record<string, unknown>) => (kind === 'bot' ? 'bot' : `user:${String(authedUserId)}`) },
} as unknown as Provider;

interface Before {
  readonly provider: string;
  readonly account: string;
  readonly tenant?: string;
  readonly status?: string;
  readonly authType?: string;
  readonly metadata?: object;
  readonly kinds?: readonly string[];
}

describe('Rows of the version before grants', () => {
  const secrets = new SecretBox([{ id: 'k1', key: randomBytes(32) }]);
  let database: TestDatabase;
  let at = Date.parse('2026-11-01T00:00:00Z');
  const query = (sql: string, params: unknown[] = []) => database.dataSource.query<Record<string, unknown>[]>(sql, params);
  const ids: Record<string, string> = {};

  async function insert(name: string, row: Before): Promise<void> {
    const id = (ids[name] = uuidv7());
    const tenant = row.tenant ?? 'acme';
    const obtained = new Date((at += 60_000));
    await query(
      `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status, metadata)
       VALUES ($1, $2, $3, $4, $5, $5, $5, $6, $7, $8)`,
      [
        id,
        tenant,
        name,
        row.provider,
        row.account,
        row.authType ?? 'oauth2',
        row.status ?? 'connected',
        JSON.stringify(row.metadata ?? {}),
      ],
    );
    for (const kind of row.kinds ?? ['default'])
      await query(
        `INSERT INTO tokens (id, connection_id, kind, access_token, refresh_token, key_id, expires_at, obtained_at) VALUES ($1, $2, $3, $4, $5, 'k1', $6, $7)`,
        [
          uuidv7(),
          id,
          kind,
          secrets.encrypt(`${name} ${kind}`, bindingOf(tenant, id, kind, 'access')),
          secrets.encrypt(`${name} ${kind} r`, bindingOf(tenant, id, kind, 'refresh')),
          new Date(obtained.getTime() + 43_200_000),
          obtained,
        ],
      );
  }
  /** As at the first start after the upgrade: nothing is sealed yet. */
  const seals = () => {
    const upgraded = sealsOn(database.dataSource, secrets);
    upgraded.acceptUnsealedUntil(Infinity);
    return upgraded;
  };
  const connection = async (name: string): Promise<Connection> =>
    (await new ConnectionRepository(database.dataSource, seals()).findById(ids[name]!))!;
  const grantOf = async (name: string) => (await connection(name)).grantId;
  const tokens = async (name: string) =>
    (await new TokenRepository(database.dataSource, secrets, seals()).loadAll(await connection(name))).map(
      ({ accessToken, refreshToken, expiresAt, obtainedAt }) => [
        accessToken,
        refreshToken,
        (expiresAt!.getTime() - obtainedAt.getTime()) / 1000,
      ],
    );

  async function migrate(direction: 'up' | 'down'): Promise<void> {
    const runner = database.dataSource.createQueryRunner(); // the only connection of the embedded database
    try {
      await new Grants1764520000000()[direction](runner);
    } finally {
      await runner.release();
    }
  }

  beforeAll(async () => {
    database = await createTestDatabase();
    await migrate('down');
    await insert('ada', { provider: 'google', account: 'g1' });
    await insert('eve', { provider: 'google', account: 'g1', tenant: 'other' });
    await insert('gone', { provider: 'google', account: 'g1', tenant: 'third', status: 'disconnected', kinds: [] });
    await insert('refused', { provider: 'google', account: 'g2', status: 'needs_reauth' });
    await insert('key1', { provider: 'stripe', account: 'acct_1', authType: 'api_key' });
    await insert('key2', { provider: 'stripe', account: 'acct_1', authType: 'api_key', tenant: 'other' });
    await insert('bot1', { provider: 'slack', account: 'T1', kinds: ['bot', 'user'], metadata: { authedUserId: 'U1' } });
    await insert('bot2', { provider: 'slack', account: 'T1', tenant: 'other', kinds: ['bot'], metadata: { authedUserId: 'U2' } });
    await insert('bot3', { provider: 'slack', account: 'T1', status: 'needs_reauth', kinds: ['bot'] });
    await insert('person', { provider: 'slack', account: 'T1:U4', kinds: ['user'], metadata: { authedUserId: 'U4' } });
    await migrate('up');
  });
  afterAll(() => database.close());

  it('stand on one grant for each account, and those with a key of their own on one each', async () => {
    expect(await grantOf('ada')).not.toBeNull();
    expect(await grantOf('ada')).toBe(await grantOf('eve'));
    expect(await grantOf('gone')).toBeNull();
    expect(await grantOf('refused')).not.toBeNull();
    expect(await grantOf('key1')).not.toBe(await grantOf('key2'));
    expect(new Set(await Promise.all(['bot1', 'bot2', 'bot3', 'person'].map(grantOf))).size).toBe(1);
    expect(await query('SELECT provider, count(*)::int AS count FROM grants GROUP BY provider ORDER BY provider')).toEqual([
      { provider: 'google', count: 2 },
      { provider: 'slack', count: 1 },
      { provider: 'stripe', count: 2 },
    ]);
  });

  it('keep their tokens, each readable where it was', async () => {
    expect(await tokens('ada')).toEqual([['ada default', 'ada default r', 43_200]]);
    expect(await tokens('eve')).toEqual([['eve default', 'eve default r', 43_200]]);
    expect(await tokens('bot1')).toHaveLength(2);
  });

  it('share the newest token that works where the provider keeps one for all, once', async () => {
    const registry = new ProviderRegistry();
    const move = new SharedTokens(database.dataSource, registry, new TokenRepository(database.dataSource, secrets, seals()));
    expect(await move.move(slack)).toBe(4);
    expect(await tokens('bot1')).toEqual([
      ['bot2 bot', 'bot2 bot r', 43_200],
      ['bot1 user', 'bot1 user r', 43_200],
    ]);
    expect(await tokens('bot2')).toEqual([['bot2 bot', 'bot2 bot r', 43_200]]);
    expect(await tokens('bot3')).toEqual([['bot2 bot', 'bot2 bot r', 43_200]]);
    expect(await tokens('person')).toEqual([['person user', 'person user r', 43_200]]);
    expect(await query('SELECT slot FROM tokens WHERE slot IS NOT NULL ORDER BY slot')).toEqual([
      { slot: 'bot' },
      { slot: 'user:U1' },
      { slot: 'user:U4' },
    ]);
    expect(await move.move(slack)).toBe(0);
  });

  it('forget the grant with the last connection that is removed', async () => {
    await query('DELETE FROM connections WHERE id = $1', [ids['ada']]);
    expect(await query(`SELECT count(*)::int AS count FROM grants WHERE account = 'g1'`)).toEqual([{ count: 1 }]);
    await query('DELETE FROM connections WHERE id = $1', [ids['eve']]);
    await query(`DELETE FROM connections WHERE provider = 'slack'`);
    expect(await query(`SELECT account FROM grants WHERE account IN ('g1', 'T1')`)).toEqual([]);
    expect(await query('SELECT 1 FROM tokens WHERE slot IS NOT NULL')).toEqual([]);
  });
});
