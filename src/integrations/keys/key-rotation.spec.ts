import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { sealsOn } from '../../../test/support/seals';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { systemClock } from '../../clock';
import type { EncryptionKey, Settings } from '../../config/env';
import { ConnectionRepository } from '../connections/connection.repository';
import { executionBinding } from '../operations/encrypted-table';
import { KeyCheckService } from './key-check.service';
import { KeyRotationService } from './key-rotation.service';
import { SecretBox } from '../connections/tokens/secret-box';
import { TokenRepository } from '../connections/tokens/token.repository';

const key = (id: string): EncryptionKey => ({ id, key: randomBytes(32) });

describe('Encryption keys', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.close());
  beforeEach(() => database.dataSource.query('TRUNCATE connections, encryption_keys, actions CASCADE'));

  /** A process with these keys; the first is its primary. */
  function processWith(...keys: EncryptionKey[]) {
    const secrets = new SecretBox(keys);
    const { dataSource } = database;
    const seals = sealsOn(dataSource, secrets);
    const check = new KeyCheckService(dataSource, secrets, { production: true } as Settings, seals, systemClock);
    return {
      secrets,
      seals,
      check,
      connections: new ConnectionRepository(dataSource, seals),
      tokens: new TokenRepository(dataSource, secrets, seals),
      rotation: new KeyRotationService(dataSource, secrets),
      start: () => check.check(),
    };
  }
  type Process = ReturnType<typeof processWith>;

  async function fill({ tokens, connections }: Process, count: number): Promise<{ id: string; tenant: string; secret: string }[]> {
    const made: { id: string; tenant: string; secret: string }[] = [];
    const at = new Date();
    await database.dataSource.transaction(async (manager) => {
      for (let i = 0; i < count; i++) {
        const account = { accountId: uuidv7(), accountName: 'A' };
        const { connection } = await connections.upsertConnected(manager, {
          tenant: 'acme',
          userId: 'u',
          provider: 'p',
          authType: 'oauth2',
          account,
          scopes: [],
          at,
        });
        const secret = randomBytes(12).toString('hex');
        // every third one has no refresh token
        await tokens.save(
          manager,
          connection,
          [{ kind: 'default', accessToken: secret, ...(i % 3 && { refreshToken: `r-${secret}` }), scopes: [] }],
          { mode: 'replace', at },
        );
        made.push({ id: connection.id, tenant: connection.tenant, secret });
      }
    });
    return made;
  }
  const keyIds = async (): Promise<string[]> =>
    (
      await database.dataSource.query(
        `SELECT DISTINCT split_part(text, ':', 2) AS id FROM (SELECT access_token AS text FROM tokens UNION ALL SELECT refresh_token FROM tokens) s WHERE text IS NOT NULL`,
      )
    ).map(({ id }: { id: string }) => id);

  describe('at start', () => {
    it('are taken when they are the ones the database knows, or new', async () => {
      const [k1, k2] = [key('k1'), key('k2')];
      await processWith(k1).start();
      await processWith(k1).start();
      await processWith(k2, k1).start();
    });

    it('are refused with one sentence when a known id holds another key', async () => {
      await processWith(key('k1')).start();
      await expect(processWith(key('k1')).start()).rejects.toThrow(
        /ENCRYPTION_KEYS: the key "k1" is not the one this database was encrypted with/,
      );
    });

    it('are refused when one is missing that rows still need, until it is no longer needed', async () => {
      const [k1, k2] = [key('k1'), key('k2')];
      const old = processWith(k1);
      await old.start();
      await processWith(k2).start(); // nothing stored yet, so nothing is needed
      await fill(old, 3);
      await expect(processWith(k2).start()).rejects.toThrow(/the key "k1" is missing, and rows of tokens still need it; .*keys -- rotate/);
      await processWith(k2, k1).rotation.rotate();
      await processWith(k2).start();
    });

    it('never put a key or its check text into the database', async () => {
      const k1 = key('k1');
      await processWith(k1).start();
      const [row] = await database.dataSource.query('SELECT * FROM encryption_keys');
      for (const encoding of ['base64', 'base64url', 'hex'] as const) expect(JSON.stringify(row)).not.toContain(k1.key.toString(encoding));
      expect(row.check_value).toMatch(/^v1:k1:/);
    });
  });

  it('are rotated in batches, and everything reads the same afterwards', async () => {
    const [k1, k2] = [key('k1'), key('k2')];
    const old = processWith(k1);
    await old.start();
    const made = await fill(old, 25);
    const after = processWith(k2, k1);
    await after.start();
    const batches: number[] = [];
    expect(await after.rotation.rotate({ batchSize: 10, onProgress: (rotated) => batches.push(rotated) })).toEqual({
      rotated: 50, // a token and a seal each
      unreadable: 0,
      remaining: 0,
    });
    expect(batches.slice(0, 3)).toEqual([10, 20, 25]);
    expect(await keyIds()).toEqual(['k2']);
    expect(await database.dataSource.query(`SELECT 1 FROM tokens WHERE key_id <> 'k2'`)).toEqual([]);
    const only = processWith(k2);
    for (const { id, secret } of made) expect(await only.tokens.load(id)).toMatchObject({ accessToken: secret, version: 1 });
    expect(await after.rotation.status()).toEqual(
      expect.arrayContaining([
        {
          keyId: 'k2',
          primary: true,
          present: true,
          since: expect.stringMatching(/^\d{4}-.*Z$/) as string,
          rows: { tokens: 25, connections: 25, actions: 0, destination_secrets: 0, oauth_clients: 0, webhook_addresses: 0 },
          atLeast: [],
        },
        {
          keyId: 'k1',
          primary: false,
          present: true,
          since: expect.stringMatching(/^\d{4}-.*Z$/) as string,
          rows: { tokens: 0, connections: 0, actions: 0, destination_secrets: 0, oauth_clients: 0, webhook_addresses: 0 },
          atLeast: [],
        },
      ]),
    );
    expect(await after.rotation.rotate()).toEqual({ rotated: 0, unreadable: 0, remaining: 0 });
  });

  it('go on after an interruption where it stopped', async () => {
    const [k1, k2] = [key('k1'), key('k2')];
    await fill(processWith(k1), 30);
    await processWith(k1).start();
    const { rotation } = processWith(k2, k1);
    const stop = new AbortController();
    await expect(
      rotation.rotate({ batchSize: 10, signal: stop.signal, onProgress: () => stop.abort(new Error('stopped')) }),
    ).rejects.toThrow('stopped');
    expect((await keyIds()).sort()).toEqual(['k1', 'k2']);
    expect(await rotation.rotate({ batchSize: 10 })).toEqual({ rotated: 50, unreadable: 0, remaining: 0 });
  });

  it('rotate the stored answers of actions too', async () => {
    const [k1, k2] = [key('k1'), key('k2')];
    const old = processWith(k1);
    await old.start();
    const id = uuidv7();
    await database.dataSource.query(
      `INSERT INTO actions (id, tenant, user_id, route, request_hash, operation_id, status, response, lease_until, expires_at)
       VALUES ($1, 'acme', 'u', 'r', 'h', $1, 'done', $2, now(), now() + interval '1 day')`,
      [id, old.secrets.encrypt('{"clientSecret":"x"}', executionBinding('acme', id))],
    );
    await expect(processWith(k2).start()).rejects.toThrow(/rows of actions still need it/);
    expect(await processWith(k2, k1).rotation.rotate()).toEqual({ rotated: 1, unreadable: 0, remaining: 0 });
    const [{ response }] = await database.dataSource.query('SELECT response FROM actions');
    expect(processWith(k2).secrets.decrypt(response, executionBinding('acme', id))).toBe('{"clientSecret":"x"}');
  });

  it('leave a row alone that cannot be read, and say so', async () => {
    const [k1, k2] = [key('k1'), key('k2')];
    const old = processWith(k1);
    await old.start();
    const [broken] = await fill(old, 3);
    await database.dataSource.query(`UPDATE tokens SET access_token = left(access_token, 20) WHERE connection_id = $1`, [broken?.id]);
    expect(await processWith(k2, k1).rotation.rotate()).toEqual({ rotated: 5, unreadable: 1, remaining: 1 });
  });

  it('cost no reader an error while they are rotated and one process still writes with the old one', async () => {
    const [k1, k2] = [key('k1'), key('k2')];
    // the guide's first step: the new key is known everywhere, as second, before it is the primary anywhere
    const old = processWith(k1, k2);
    await old.start();
    const made = await fill(old, 200);
    const fresh = processWith(k2, k1);
    let reads = 0;
    let done = false;
    const reader = async (process: Process) => {
      while (!done) {
        const { id, secret } = made[reads++ % made.length]!;
        expect((await process.tokens.load(id))?.accessToken.startsWith(secret)).toBe(true);
      }
    };
    const writer = async () => {
      for (let i = 0; !done; i++) {
        const { id, tenant, secret } = made[(i * 7) % made.length]!;
        const held = await old.tokens.load(id);
        const at = new Date();
        await old.tokens.save(
          database.dataSource.manager,
          { id, tenant },
          [{ kind: 'default', accessToken: `${secret}-${i}`, scopes: [] }],
          { mode: 'refresh', at, tokenId: held?.id ?? '', expectedVersion: held?.version ?? 0 },
        );
      }
    };
    const rotating = (async () => {
      try {
        for (let i = 0; i < 5; i++) await fresh.rotation.rotate({ batchSize: 20 });
      } finally {
        done = true;
      }
    })();
    await Promise.all([reader(old), reader(fresh), writer(), rotating]);
    expect(reads).toBeGreaterThan(200);
    // the old process now gets the new configuration too, and a last round finds what it wrote meanwhile
    expect(await fresh.rotation.rotate()).toMatchObject({ unreadable: 0, remaining: 0 });
    expect(await keyIds()).toEqual(['k2']);
    const only = processWith(k2);
    for (const { id, secret } of made) expect((await only.tokens.load(id))?.accessToken.startsWith(secret)).toBe(true);
  });
});
