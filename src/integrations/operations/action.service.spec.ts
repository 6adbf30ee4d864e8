import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { IntegrationError } from '../../errors';
import { systemClock } from '../../clock';
import { ConnectionRepository } from '../connections/connection.repository';
import { SecretBox } from '../connections/tokens/secret-box';
import { CountingWakeUp } from '../notifications/testing/notification-process';
import type { ConnectionRef, Provider } from '../contract';
import { ProviderRegistry } from '../providers/provider-registry';
import type { ActionAnswer, ActionRequest, Attempt } from './action';
import { isReplayed } from './action-outcome';
import { JobEngine } from '../jobs/job-engine';
import { JobWorker } from '../jobs/job-worker';
import { ActionJobs } from './action-jobs';
import { ActionReconciler } from './action-reconciler';
import { ActionRepository, type UnknownAction } from './action.repository';
import { ActionService } from './action.service';

let database: TestDatabase;
let actions: ActionRepository;
let service: ActionService;
let reconciler: ActionReconciler;
let worker: JobWorker<UnknownAction>;
beforeAll(async () => {
  Logger.overrideLogger(false);
  database = await createTestDatabase();
  const registry = new ProviderRegistry();
  registry.register(provider('keyed', 'Idempotency-Key'));
  registry.register(provider('plain'));
  actions = new ActionRepository(database.dataSource, new SecretBox([{ id: 'k1', key: Buffer.alloc(32, 'actions') }]));
  reconciler = new ActionReconciler(actions, new ConnectionRepository(database.dataSource), systemClock);
  service = new ActionService(actions, registry, reconciler);
  const engine = new JobEngine(new CountingWakeUp(), systemClock);
  worker = new JobWorker(new ActionJobs(actions, reconciler, engine), systemClock);
});
afterAll(async () => {
  await worker.stop();
  await database.close();
});

/** As a wake-up does: looks for all whose time has come. */
const lookForAll = async () => {
  await worker.wake();
  await worker.idle();
};

const SECRET = 'pi_1_secret_canary';
const timeout = () => new IntegrationError('provider_timeout');

describe('with a key', () => {
  it('carries the action out once and replays its answer', async () => {
    const action = sending();
    expect(await service.run(action.request)).toEqual({ status: 201, body: { id: 1, clientSecret: SECRET }, replayed: false });
    expect(await service.run(action.request)).toEqual({ status: 201, body: { id: 1, clientSecret: SECRET }, replayed: true });
    expect(action.operations).toHaveLength(1);
  });

  it('takes the same fields in another order for the same request', async () => {
    const action = sending({ body: { a: 1, b: { c: 2, d: [3] } } });
    await service.run(action.request);
    expect(await service.run({ ...action.request, body: { b: { d: [3], c: 2 }, a: 1 } })).toMatchObject({ replayed: true });
  });

  it('stores the answer encrypted', async () => {
    await service.run(sending().request);
    const rows = (await database.dataSource.query('SELECT * FROM actions')) as unknown[];
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain(SECRET);
  });

  it('refuses the key for another body, route or connection', async () => {
    const { request } = sending();
    await service.run(request);
    await expect(service.run({ ...request, body: { other: true } })).rejects.toMatchObject({ code: 'idempotency_key_reused', status: 422 });
    await expect(service.run({ ...request, route: 'POST other' })).rejects.toMatchObject({ code: 'idempotency_key_reused' });
    await expect(service.run({ ...request, connection: { ...request.connection, id: randomUUID() } })).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    });
  });

  it('lets another user, and another tenant, use the same key', async () => {
    const { request } = sending();
    await service.run(request);
    expect(await service.run({ ...request, caller: { ...request.caller, userId: 'u2' } })).toMatchObject({ replayed: false });
    expect(await service.run({ ...request, caller: { ...request.caller, tenant: 'other' } })).toMatchObject({ replayed: false });
  });

  it('tells all but one of many concurrent requests that the first is running', async () => {
    let finish = () => {};
    const running = new Promise<void>((resolve) => (finish = resolve));
    const action = sending({}, () => running);
    const first = service.run(action.request);
    const others = await Promise.allSettled(Array.from({ length: 9 }, () => service.run(action.request)));
    expect(others.map((each) => each.status === 'rejected' && (each.reason as IntegrationError).code)).toEqual(
      Array(9).fill('idempotency_key_in_use'),
    );
    finish();
    await first;
    expect(action.operations).toHaveLength(1);
  });

  it('keeps a refusal that is final, and replays it marked as such', async () => {
    const action = sending({}, () =>
      Promise.reject(new IntegrationError('card_declined', { notExecuted: true, extra: { declineCode: 'insufficient_funds' } })),
    );
    await expect(service.run(action.request)).rejects.toMatchObject({ code: 'card_declined' });
    const replayed = await service.run(action.request).catch((error: unknown) => error);
    expect(replayed).toMatchObject({ code: 'card_declined', extra: { declineCode: 'insufficient_funds' } });
    expect(isReplayed(replayed)).toBe(true);
    expect(action.operations).toHaveLength(1);
  });

  it.each([
    ['a passing failure before anything was sent', new IntegrationError('provider_rate_limited', { notExecuted: true })],
    ['a connection that has to be mended first', new IntegrationError('needs_reauth', { notExecuted: true })],
  ])('is free again after %s, for a new operation', async (_, error) => {
    const action = sending({ fails: [error] });
    await expect(service.run(action.request)).rejects.toBe(error);
    expect(await service.run(action.request)).toMatchObject({ status: 201, replayed: false });
    expect(new Set(action.operations.map(({ operationId }) => operationId)).size).toBe(2);
  });

  it('never repeats a doubtful action at a provider without keys', async () => {
    const action = sending({ provider: 'plain', fails: [timeout()] });
    await expect(service.run(action.request)).rejects.toMatchObject({ code: 'outcome_unknown', status: 409, retryable: false });
    await expect(service.run(action.request)).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(action.operations).toHaveLength(1);
  });

  it('goes again with the very same provider key where the provider honours one', async () => {
    const action = sending({ fails: [timeout()] });
    await expect(service.run(action.request)).rejects.toMatchObject({ code: 'provider_timeout' });
    expect(await service.run(action.request)).toMatchObject({ status: 201, replayed: false });
    expect(await service.run(action.request)).toMatchObject({ status: 201, replayed: true });
    expect(action.operations).toHaveLength(2);
    expect(action.operations[0]).toEqual(action.operations[1]);
  });

  it('takes a slip of our own after sending for doubtful', async () => {
    const action = sending({ provider: 'plain' }, () => Promise.reject(new TypeError('x is undefined')));
    await expect(service.run(action.request)).rejects.toMatchObject({ code: 'outcome_unknown' });
  });

  it('is good for another action once its time is over', async () => {
    const action = sending();
    await service.run(action.request);
    await database.dataSource.query(`UPDATE actions SET expires_at = now() - interval '1 second' WHERE idempotency_key = $1`, [
      action.request.idempotencyKey,
    ]);
    expect(await service.run(action.request)).toMatchObject({ replayed: false });
  });

  it.each(['', 'a'.repeat(256), 'with space', 'ümlaut'])('refuses the key %p', async (idempotencyKey) => {
    await expect(service.run({ ...sending().request, idempotencyKey })).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('a first try whose process died', () => {
  const crash = async (request: ActionRequest) => {
    void service.run({ ...request, execute: () => new Promise(() => {}) });
    while (!(await actions.find(request.caller.tenant, request.caller.userId, request.idempotencyKey!))) await new Promise(setImmediate);
  };
  it('keeps its key for the time of its lease', async () => {
    const { request } = sending();
    await crash(request);
    await expect(service.run(request)).rejects.toMatchObject({ code: 'idempotency_key_in_use', retryable: true });
  });

  it('is unknown afterwards, and stays so', async () => {
    const action = sending({ provider: 'plain' });
    await crash(action.request);
    await endLease(action.request);
    await expect(service.run(action.request)).rejects.toMatchObject({ code: 'outcome_unknown' });
    await expect(service.run(action.request)).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(action.operations).toHaveLength(0);
  });

  it('is taken over by exactly one of many, with its own operation, where that is safe', async () => {
    const action = sending();
    await crash(action.request);
    const before = await actions.find('acme', 'u1', action.request.idempotencyKey!);
    await endLease(action.request);
    const settled = await Promise.allSettled(Array.from({ length: 5 }, () => service.run(action.request)));
    expect(settled.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
    expect(action.operations).toEqual([{ operationId: before!.operationId, providerKey: before!.operationId }]);
  });

  it('is unknown once somebody looks', async () => {
    const action = sending({ provider: 'plain' });
    await crash(action.request);
    await endLease(action.request);
    await lookForAll();
    expect(await actions.find('acme', 'u1', action.request.idempotencyKey!)).toMatchObject({ status: 'unknown' });
  });
});

describe('of unknown outcome, where the provider can be asked', () => {
  const route = 'POST findable';

  it('is found when asked again, and stays so without another look', async () => {
    const { action, looks } = await findable({ status: 201, body: { id: 'found' } });
    await expect(service.run(action.request)).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(await service.run(action.request)).toEqual({ status: 201, body: { id: 'found' }, replayed: true });
    expect(await service.run(action.request)).toEqual({ status: 201, body: { id: 'found' }, replayed: true });
    expect(looks).toEqual([action.operations[0]?.operationId]);
    expect(action.operations).toHaveLength(1);
  });

  it.each([
    ['is not found', undefined],
    ['cannot be looked up', timeout()],
  ])('stays unknown and is not repeated while it %s', async (_, seen) => {
    const { action } = await findable(seen);
    await expect(service.run(action.request)).rejects.toMatchObject({ code: 'outcome_unknown' });
    await expect(service.run(action.request)).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(action.operations).toHaveLength(1);
  });

  it('is settled by the job that looks for it, which does not look again at once for what it did not find', async () => {
    const { action, looks, set } = await findable(undefined);
    await expect(service.run(action.request)).rejects.toMatchObject({ code: 'outcome_unknown' });
    await endLease(action.request);
    await lookForAll();
    await lookForAll();
    expect(looks).toHaveLength(1);
    set({ status: 201, body: { id: 'late' } });
    await endLease(action.request);
    await lookForAll();
    expect(await service.run(action.request)).toMatchObject({ body: { id: 'late' }, replayed: true });
    expect(action.operations).toHaveLength(1);
  });

  /** A doubtful action of a real connection, and what a look at the provider gives. */
  async function findable(first: ActionAnswer | IntegrationError | undefined) {
    let seen = first;
    const looks: string[] = [];
    reconciler.register(route, (_, operationId) => {
      looks.push(operationId);
      return seen instanceof IntegrationError ? Promise.reject(seen) : Promise.resolve(seen);
    });
    const made = sending({ provider: 'plain', fails: [timeout()] });
    await new ConnectionRepository(database.dataSource)
      .upsertConnected(database.dataSource.manager, {
        tenant: 'acme',
        userId: 'u1',
        provider: 'plain',
        authType: 'oauth2',
        account: { accountId: randomUUID(), accountName: 'A' },
        scopes: [],
        at: new Date(),
      })
      .then(({ connection }) => Object.assign(made.request, { connection: { ...made.request.connection, id: connection.id }, route }));
    return { action: made, looks, set: (answer: ActionAnswer) => (seen = answer) };
  }
});

describe('without a key', () => {
  it('is recorded, and a repetition is another action', async () => {
    const action = sending();
    const request = { ...action.request, idempotencyKey: undefined };
    await service.run(request);
    await service.run(request);
    expect(new Set(action.operations.map(({ operationId }) => operationId)).size).toBe(2);
    const [{ count }] = (await database.dataSource.query(`SELECT count(*)::int AS count FROM actions WHERE operation_id = ANY($1)`, [
      action.operations.map(({ operationId }) => operationId),
    ])) as [{ count: number }];
    expect(count).toBe(2);
  });

  it('tells a doubtful outcome as unknown', async () => {
    const request = { ...sending({ fails: [timeout()] }).request, idempotencyKey: undefined };
    await expect(service.run(request)).rejects.toMatchObject({ code: 'outcome_unknown' });
  });
});

const endLease = (request: ActionRequest) =>
  database.dataSource.query(`UPDATE actions SET lease_until = now() - interval '1 second' WHERE idempotency_key = $1`, [
    request.idempotencyKey,
  ]);

interface Wish {
  provider?: 'keyed' | 'plain';
  body?: unknown;
  /** Failures of the first tries. */
  fails?: IntegrationError[];
}

/** An action that notes its operations, as a provider would. */
function sending(
  { provider: key = 'keyed', body = { text: 'hello' }, fails = [] }: Wish = {},
  work: () => Promise<void> = () => Promise.resolve(),
) {
  const operations: Attempt[] = [];
  const connection: ConnectionRef = {
    id: randomUUID(),
    tenant: 'acme',
    userId: 'u1',
    provider: key,
    accountId: 'a',
    authType: 'oauth2',
    metadata: {},
  };
  const request: ActionRequest = {
    caller: { tenant: 'acme', userId: 'u1', role: 'user' },
    connection,
    route: 'POST things',
    body,
    idempotencyKey: randomUUID(),
    execute: async (operation) => {
      operations.push(operation);
      const failure = fails[operations.length - 1];
      if (failure) throw failure;
      await work();
      return { status: 201, body: { id: operations.length, clientSecret: SECRET } };
    },
  };
  return { operations, request };
}

function provider(key: string, idempotencyHeader?: string): Provider {
  return {
    key,
    name: key,
    configured: true,
    apiBaseUrl: 'https://example.com/',
    auth: { parseTokenResponse: () => [], identify: () => Promise.reject(new Error('not asked here')) },
    http: { endpoints: [], limits: {}, defaultLimits: [], retry: idempotencyHeader ? { idempotencyHeader } : {} },
    actions: [],
  };
}
