import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { sealsOn } from '../../../test/support/seals';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { IntegrationError } from '../../errors';
import { systemClock } from '../../clock';
import { ConnectionRepository } from '../connections/connection.repository';
import { SecretBox } from '../connections/tokens/secret-box';
import { CountingWakeUp } from '../notifications/testing/notification-process';
import type { ConnectionRef, Provider } from '../contract';
import { ProviderRegistry } from '../providers/provider-registry';
import type { ExecutionAnswer, ExecutionRequest, Attempt } from './execution';
import { isReplayed } from './execution-outcome';
import { JobEngine } from '../jobs/job-engine';
import { ProcessPresence } from '../jobs/process-presence';
import { JobWorker } from '../jobs/job-worker';
import { ExecutionJobs } from './execution-jobs';
import { ExecutionReconciler } from './execution-reconciler';
import { ExecutionRepository, type UnknownExecution } from './execution.repository';
import { ExecutionService } from './execution.service';

let database: TestDatabase;
let executions: ExecutionRepository;
let service: ExecutionService;
let reconciler: ExecutionReconciler;
let worker: JobWorker<UnknownExecution>;
beforeAll(async () => {
  Logger.overrideLogger(false);
  database = await createTestDatabase();
  const registry = new ProviderRegistry();
  registry.register(provider('keyed', 'Idempotency-Key'));
  registry.register(provider('plain'));
  executions = new ExecutionRepository(database.dataSource, new SecretBox([{ id: 'k1', key: Buffer.alloc(32, 'actions') }]));
  reconciler = new ExecutionReconciler(
    executions,
    new ConnectionRepository(database.dataSource, sealsOn(database.dataSource)),
    systemClock,
  );
  service = new ExecutionService(executions, registry, reconciler);
  const presence = new ProcessPresence(undefined, systemClock);
  const engine = new JobEngine(new CountingWakeUp(), systemClock, presence);
  worker = new JobWorker(new ExecutionJobs(executions, reconciler, engine), systemClock, presence);
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
  it('carries it out once and replays its answer', async () => {
    const execution = sending();
    expect(await service.run(execution.request)).toEqual({ status: 201, body: { id: 1, clientSecret: SECRET }, replayed: false });
    expect(await service.run(execution.request)).toEqual({ status: 201, body: { id: 1, clientSecret: SECRET }, replayed: true });
    expect(execution.attempts).toHaveLength(1);
  });

  it('takes the same fields in another order for the same request', async () => {
    const execution = sending({ body: { a: 1, b: { c: 2, d: [3] } } });
    await service.run(execution.request);
    expect(await service.run({ ...execution.request, body: { b: { d: [3], c: 2 }, a: 1 } })).toMatchObject({ replayed: true });
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
    const execution = sending({}, () => running);
    const first = service.run(execution.request);
    const others = await Promise.allSettled(Array.from({ length: 9 }, () => service.run(execution.request)));
    expect(others.map((each) => each.status === 'rejected' && (each.reason as IntegrationError).code)).toEqual(
      Array(9).fill('idempotency_key_in_use'),
    );
    finish();
    await first;
    expect(execution.attempts).toHaveLength(1);
  });

  it('keeps a refusal that is final, and replays it marked as such', async () => {
    const execution = sending({}, () =>
      Promise.reject(new IntegrationError('card_declined', { notExecuted: true, extra: { declineCode: 'insufficient_funds' } })),
    );
    await expect(service.run(execution.request)).rejects.toMatchObject({ code: 'card_declined' });
    const replayed = await service.run(execution.request).catch((error: unknown) => error);
    expect(replayed).toMatchObject({ code: 'card_declined', extra: { declineCode: 'insufficient_funds' } });
    expect(isReplayed(replayed)).toBe(true);
    expect(execution.attempts).toHaveLength(1);
  });

  it.each([
    ['a passing failure before anything was sent', new IntegrationError('provider_rate_limited', { notExecuted: true })],
    ['a connection that has to be mended first', new IntegrationError('needs_reauth', { notExecuted: true })],
  ])('is free again after %s, for a new operation', async (_, error) => {
    const execution = sending({ fails: [error] });
    await expect(service.run(execution.request)).rejects.toBe(error);
    expect(await service.run(execution.request)).toMatchObject({ status: 201, replayed: false });
    expect(new Set(execution.attempts.map(({ operationId }) => operationId)).size).toBe(2);
  });

  it('never repeats a doubtful execution at a provider without keys', async () => {
    const execution = sending({ provider: 'plain', fails: [timeout()] });
    await expect(service.run(execution.request)).rejects.toMatchObject({ code: 'outcome_unknown', status: 409, retryable: false });
    await expect(service.run(execution.request)).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(execution.attempts).toHaveLength(1);
  });

  it('goes again with the very same provider key where the provider honours one', async () => {
    const execution = sending({ fails: [timeout()] });
    await expect(service.run(execution.request)).rejects.toMatchObject({ code: 'provider_timeout' });
    expect(await service.run(execution.request)).toMatchObject({ status: 201, replayed: false });
    expect(await service.run(execution.request)).toMatchObject({ status: 201, replayed: true });
    expect(execution.attempts).toHaveLength(2);
    expect(execution.attempts[0]).toEqual(execution.attempts[1]);
  });

  it('takes a slip of our own after sending for doubtful', async () => {
    const execution = sending({ provider: 'plain' }, () => Promise.reject(new TypeError('x is undefined')));
    await expect(service.run(execution.request)).rejects.toMatchObject({ code: 'outcome_unknown' });
  });

  it('is good for another execution once its time is over', async () => {
    const execution = sending();
    await service.run(execution.request);
    await database.dataSource.query(`UPDATE actions SET expires_at = now() - interval '1 second' WHERE idempotency_key = $1`, [
      execution.request.idempotencyKey,
    ]);
    expect(await service.run(execution.request)).toMatchObject({ replayed: false });
  });

  it.each(['', 'a'.repeat(256), 'with space', 'ümlaut'])('refuses the key %p', async (idempotencyKey) => {
    await expect(service.run({ ...sending().request, idempotencyKey })).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('a first try whose process died', () => {
  const crash = async (request: ExecutionRequest) => {
    void service.run({ ...request, execute: () => new Promise(() => {}) });
    while (!(await executions.find(request.caller.tenant, request.caller.userId, request.idempotencyKey!))) await new Promise(setImmediate);
  };
  it('keeps its key for the time of its lease', async () => {
    const { request } = sending();
    await crash(request);
    await expect(service.run(request)).rejects.toMatchObject({ code: 'idempotency_key_in_use', retryable: true });
  });

  it('is unknown afterwards, and stays so', async () => {
    const execution = sending({ provider: 'plain' });
    await crash(execution.request);
    await endLease(execution.request);
    await expect(service.run(execution.request)).rejects.toMatchObject({ code: 'outcome_unknown' });
    await expect(service.run(execution.request)).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(execution.attempts).toHaveLength(0);
  });

  it('is taken over by exactly one of many, with its own operation, where that is safe', async () => {
    const execution = sending();
    await crash(execution.request);
    const before = await executions.find('acme', 'u1', execution.request.idempotencyKey!);
    await endLease(execution.request);
    const settled = await Promise.allSettled(Array.from({ length: 5 }, () => service.run(execution.request)));
    expect(settled.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
    expect(execution.attempts).toEqual([{ operationId: before!.operationId, providerKey: before!.operationId }]);
  });

  it('is unknown once somebody looks', async () => {
    const execution = sending({ provider: 'plain' });
    await crash(execution.request);
    await endLease(execution.request);
    await lookForAll();
    expect(await executions.find('acme', 'u1', execution.request.idempotencyKey!)).toMatchObject({ status: 'unknown' });
  });
});

describe('of unknown outcome, where the provider can be asked', () => {
  const route = 'POST findable';

  it('is found when asked again, and stays so without another look', async () => {
    const { execution, looks } = await findable({ status: 201, body: { id: 'found' } });
    await expect(service.run(execution.request)).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(await service.run(execution.request)).toEqual({ status: 201, body: { id: 'found' }, replayed: true });
    expect(await service.run(execution.request)).toEqual({ status: 201, body: { id: 'found' }, replayed: true });
    expect(looks).toEqual([execution.attempts[0]?.operationId]);
    expect(execution.attempts).toHaveLength(1);
  });

  it.each([
    ['is not found', undefined],
    ['cannot be looked up', timeout()],
  ])('stays unknown and is not repeated while it %s', async (_, seen) => {
    const { execution } = await findable(seen);
    await expect(service.run(execution.request)).rejects.toMatchObject({ code: 'outcome_unknown' });
    await expect(service.run(execution.request)).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(execution.attempts).toHaveLength(1);
  });

  it('is settled by the job that looks for it, which does not look again at once for what it did not find', async () => {
    const { execution, looks, set } = await findable(undefined);
    await expect(service.run(execution.request)).rejects.toMatchObject({ code: 'outcome_unknown' });
    await endLease(execution.request);
    await lookForAll();
    await lookForAll();
    expect(looks).toHaveLength(1);
    set({ status: 201, body: { id: 'late' } });
    await endLease(execution.request);
    await lookForAll();
    expect(await service.run(execution.request)).toMatchObject({ body: { id: 'late' }, replayed: true });
    expect(execution.attempts).toHaveLength(1);
  });

  /** A doubtful execution of a real connection, and what a look at the provider gives. */
  async function findable(first: ExecutionAnswer | IntegrationError | undefined) {
    let seen = first;
    const looks: string[] = [];
    reconciler.register(route, (_, operationId) => {
      looks.push(operationId);
      return seen instanceof IntegrationError ? Promise.reject(seen) : Promise.resolve(seen);
    });
    const made = sending({ provider: 'plain', fails: [timeout()] });
    await new ConnectionRepository(database.dataSource, sealsOn(database.dataSource))
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
    return { execution: made, looks, set: (answer: ExecutionAnswer) => (seen = answer) };
  }
});

describe('without a key', () => {
  it('is recorded, and a repetition is another execution', async () => {
    const execution = sending();
    const request = { ...execution.request, idempotencyKey: undefined };
    await service.run(request);
    await service.run(request);
    expect(new Set(execution.attempts.map(({ operationId }) => operationId)).size).toBe(2);
    const [{ count }] = (await database.dataSource.query(`SELECT count(*)::int AS count FROM actions WHERE operation_id = ANY($1)`, [
      execution.attempts.map(({ operationId }) => operationId),
    ])) as [{ count: number }];
    expect(count).toBe(2);
  });

  it('tells a doubtful outcome as unknown', async () => {
    const request = { ...sending({ fails: [timeout()] }).request, idempotencyKey: undefined };
    await expect(service.run(request)).rejects.toMatchObject({ code: 'outcome_unknown' });
  });
});

const endLease = (request: ExecutionRequest) =>
  database.dataSource.query(`UPDATE actions SET lease_until = now() - interval '1 second' WHERE idempotency_key = $1`, [
    request.idempotencyKey,
  ]);

interface Wish {
  provider?: 'keyed' | 'plain';
  body?: unknown;
  /** Failures of the first tries. */
  fails?: IntegrationError[];
}

/** An execution that notes its attempts, as a provider would. */
function sending(
  { provider: key = 'keyed', body = { text: 'hello' }, fails = [] }: Wish = {},
  work: () => Promise<void> = () => Promise.resolve(),
) {
  const attempts: Attempt[] = [];
  const connection: ConnectionRef = {
    id: randomUUID(),
    tenant: 'acme',
    userId: 'u1',
    provider: key,
    accountId: 'a',
    authType: 'oauth2',
    metadata: {},
  };
  const request: ExecutionRequest = {
    caller: { tenant: 'acme', userId: 'u1', role: 'user' },
    connection,
    route: 'POST things',
    body,
    idempotencyKey: randomUUID(),
    execute: async (attempt) => {
      attempts.push(attempt);
      const failure = fails[attempts.length - 1];
      if (failure) throw failure;
      await work();
      return { status: 201, body: { id: attempts.length, clientSecret: SECRET } };
    },
  };
  return { attempts, request };
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
