import { Logger } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { sealsOn } from '../../../test/support/seals';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import type { Settings } from '../../config/env';
import { StillClock } from '../sync/testing/sync-harness';
import { PeriodicTasks } from '../jobs';
import { ConnectionRepository } from '../connections/connection.repository';
import { bindingOf, SecretBox } from '../connections/tokens/secret-box';
import { KeyCheckService } from './key-check.service';
import { SealTasks } from './seal-tasks';

const HOUR_MS = 60 * 60_000;

describe('Connections from before there were seals', () => {
  const key = { id: 'k1', key: randomBytes(32) };
  let clock: StillClock;
  let database: TestDatabase;
  const query = <Row = unknown>(sql: string, params: unknown[] = []) => database.dataSource.query<Row[]>(sql, params);
  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    clock = new StillClock();
    await query('TRUNCATE connections, encryption_keys CASCADE');
  });

  /** A process that has started. */
  async function started() {
    const secrets = new SecretBox([key]);
    const seals = sealsOn(database.dataSource, secrets, clock);
    const check = new KeyCheckService(database.dataSource, secrets, { production: true } as Settings, seals, clock);
    await check.check();
    const tasks = new SealTasks(seals, check, new PeriodicTasks({ workers: true }, clock), clock);
    return { seals, tasks, connections: new ConnectionRepository(database.dataSource, seals) };
  }

  /** As a version that does not seal leaves it. */
  async function write(): Promise<string> {
    const id = uuidv7();
    await query(
      `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status, metadata, scopes)
       VALUES ($1, 'acme', 'u1', 'p', $2, 'A', 'a', 'oauth2', 'connected', '{"zone": "eu", "a": {"n": 1.5, "list": [1, "x", null]}}', '{b,a}')`,
      [id, id],
    );
    return id;
  }
  const versionBefore = () =>
    query('INSERT INTO encryption_keys (key_id, check_value) VALUES ($1, $2)', [
      key.id,
      new SecretBox([key]).encrypt('trestle key check', bindingOf('key-check')),
    ]);
  const ALTERED = { code: 'connection_altered' };

  it('work while they are sealed, and afterwards', async () => {
    await versionBefore();
    const id = await write();
    const first = await started();
    expect(await first.connections.findById(id)).toMatchObject({ userId: 'u1' });
    await first.tasks.sealAll();
    expect(await query('SELECT 1 FROM connections WHERE seal IS NULL')).toEqual([]);
    expect(await first.connections.findById(id)).toMatchObject({ userId: 'u1' });
    expect(await (await started()).connections.findById(id)).toMatchObject({ userId: 'u1' });
  });

  it('are taken from processes of that version for an hour, and then no more', async () => {
    await versionBefore();
    const { connections, tasks, seals } = await started();
    await tasks.sealAll();
    const late = await write();
    expect(await connections.findById(late)).toBeDefined();
    expect(await (await started()).connections.findById(late)).toBeDefined();
    await tasks.sealAll();
    clock.advance(HOUR_MS + 1);
    expect(seals.isSealing).toBe(false);
    expect(await connections.findById(late)).toBeDefined();
    await expect(connections.findById(await write())).rejects.toMatchObject(ALTERED);
  });

  it('are not taken again because somebody takes a seal away, or the check value with it', async () => {
    await versionBefore();
    const id = await write();
    await (await started()).tasks.sealAll();
    clock.advance(HOUR_MS + 1);
    await query(`UPDATE connections SET seal = NULL, user_id = 'eve' WHERE id = $1`, [id]);
    await query('DELETE FROM encryption_keys');
    const again = await started();
    await again.tasks.tick();
    await expect(again.connections.findById(id)).rejects.toMatchObject(ALTERED);
  });

  it('are not there in a new database: what is not sealed opens nothing from the first start on', async () => {
    const { connections, seals } = await started();
    expect(seals.isSealing).toBe(false);
    await expect(connections.findById(await write())).rejects.toMatchObject(ALTERED);
  });

  it('are sealed at the next start where the first was cut off', async () => {
    await versionBefore();
    for (let i = 0; i < 3; i++) await write();
    const stop = new AbortController();
    stop.abort(new Error('stopped'));
    await expect((await started()).tasks.sealAll(stop.signal)).rejects.toThrow('stopped');
    const { tasks } = await started();
    await tasks.sealAll();
    expect(await query('SELECT 1 FROM connections WHERE seal IS NULL')).toEqual([]);
  });
});
