import { Global, Module, type Provider as Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { CLOCK, systemClock, type Clock } from '../../src/clock';
import { SETTINGS } from '../../src/config/config.module';
import { loadSettings, type Settings } from '../../src/config/env';
import { DATABASE_TOKEN, DatabaseInfo, LOCK_POOL, LockPool, PROCESS_SIGNS, type ProcessSigns } from '../../src/database';
import { IntegrationError } from '../../src/errors';
import { ConnectionSeals } from '../../src/integrations/connections';
import type { IncomingEvent, Provider, WebhookFacts } from '../../src/integrations';
import { JobEngine, PeriodicTasks, ProcessPresence } from '../../src/integrations/jobs';
import type { JobWorker } from '../../src/integrations/jobs';
import { WakeUp, type Topic } from '../../src/integrations/jobs/wake-up/wake-up';
import { ProviderRegistry } from '../../src/integrations/providers/provider-registry';
import { ProviderRegistryModule } from '../../src/integrations/providers/provider-registry.module';
import { PROCESSING_OPTIONS, type ProcessingOptions } from '../../src/integrations/webhooks/processing/processing-options';
import { verifySigned } from '../../src/integrations/providers/signatures/verify-signed';
import { STRIPE_SIGNATURE } from '../../src/providers/stripe/stripe.facts';
import type { EventJob } from '../../src/integrations/webhooks/processing/event-job';
import { WebhookInbox } from '../../src/integrations/webhooks/webhook-inbox';
import { WebhooksModule } from '../../src/integrations/webhooks/webhooks.module';
import { rawDelivery, signedDelivery } from '../../src/integrations/webhooks/testing';
import { createTestDatabase, type TestDatabase } from './test-database';

export const SECRET = 'whsec_test';
export const ACME = 'acme';

/** Calls are counted; the test itself lets the worker look, so that nothing happens behind its back. */
export class ManualWakeUp extends WakeUp {
  calls = 0;
  private worker?: JobWorker<EventJob>;

  wake(): void {
    this.calls++;
  }

  listen(topic: Topic, worker: unknown): void {
    if (topic === 'webhooks') this.worker = worker as JobWorker<EventJob>;
  }

  status() {
    return Promise.resolve({ status: 'ok' as const });
  }

  /** Looks for events until none is due and the loop has nothing in work; what asks its provider first may still do so. */
  async drain(): Promise<void> {
    await this.worker?.wake();
    await this.worker?.idle(({ kind }) => kind !== 'asking');
  }
}

/** A provider of the tests: Stripe's signature, and bodies that say what the core has to know. */
export interface TestBody {
  readonly id: string;
  readonly type?: string;
  readonly account?: string;
  readonly object?: string;
  readonly version?: number;
  readonly [more: string]: unknown;
}

const webhooks: WebhookFacts = {
  configured: true,
  verify: (delivery) => verifySigned(delivery, [SECRET], STRIPE_SIGNATURE),
  parse: ({ body }) => {
    const json = JSON.parse(body.toString('utf8')) as TestBody;
    if (typeof json.id !== 'string') throw new IntegrationError('invalid_request');
    const event: IncomingEvent = {
      eventId: json.id,
      type: json.type ?? 'thing.changed',
      routingKey: json.account,
      objectKey: json.object,
      objectVersion: json.version,
    };
    return { events: [event] };
  },
};

export function testProvider(key: string, facts: WebhookFacts | undefined = webhooks): Provider {
  return {
    key,
    name: key,
    configured: true,
    apiBaseUrl: 'http://localhost/',
    auth: { parseTokenResponse: () => [], identify: () => Promise.reject(new Error('not asked here')) },
    http: { endpoints: [], limits: {}, defaultLimits: [] },
    webhooks: facts,
    actions: [],
  };
}

export interface WebhookHarness {
  readonly module: TestingModule;
  readonly database: TestDatabase;
  readonly dataSource: DataSource;
  readonly inbox: WebhookInbox;
  readonly worker: JobWorker<EventJob>;
  readonly wakeUp: ManualWakeUp;
  connect(account: string, tenant?: string, provider?: string): Promise<string>;
  /** Until nothing that was claimed is left, what asks its provider first included. */
  settled(): Promise<void>;
  /** Signs, delivers, and waits for the answer. */
  deliver(body: TestBody, provider?: string): Promise<unknown>;
  rows<T = Record<string, unknown>>(sql: string, params?: unknown[]): Promise<T[]>;
  close(): Promise<void>;
}

export interface HarnessOptions {
  readonly handlers?: Injectable[];
  readonly providers?: Provider[];
  readonly settings?: Partial<Settings>;
  readonly processor?: Partial<ProcessingOptions>;
  readonly clock?: Clock;
  /** By default none is known to live, and leases decide. */
  readonly processes?: ProcessSigns;
}

/** The webhooks' module on a real database, without HTTP. */
export async function createWebhookHarness(options: HarnessOptions = {}): Promise<WebhookHarness> {
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'trestle-webhooks-'));
  const wakeUp = new ManualWakeUp();
  const lockPool = database.url ? new LockPool(database.url) : null;

  @Global()
  @Module({
    providers: [
      { provide: SETTINGS, useValue: { ...loadSettings({ DATA_DIR: dataDir, SANDBOX: 'off' }, []), ...options.settings } },
      { provide: CLOCK, useValue: options.clock ?? systemClock },
      { provide: DATABASE_TOKEN, useValue: database.dataSource },
      { provide: LOCK_POOL, useValue: lockPool },
      { provide: DatabaseInfo, useValue: new DatabaseInfo(database.kind) },
      { provide: WakeUp, useValue: wakeUp },
      JobEngine,
      ProcessPresence,
      { provide: PROCESS_SIGNS, useValue: options.processes },
      PeriodicTasks,
      { provide: PROCESSING_OPTIONS, useValue: { retryBaseMs: 0, takeoverEveryMs: 0, directProcessing: 0, ...options.processor } },
    ],
    exports: [SETTINGS, CLOCK, DATABASE_TOKEN, LOCK_POOL, DatabaseInfo, WakeUp, JobEngine, PeriodicTasks, PROCESSING_OPTIONS],
  })
  class Surroundings {}

  const module = await Test.createTestingModule({
    imports: [Surroundings, ProviderRegistryModule, WebhooksModule],
    providers: options.handlers ?? [],
  }).compile();
  module.useLogger(false);
  const registry = module.get(ProviderRegistry);
  for (const provider of options.providers ?? [testProvider('testp')]) registry.register(provider);
  await module.init();
  const inbox = module.get(WebhookInbox);
  if (!inbox.worker) throw new Error('The worker of webhooks was not started.');
  const { worker } = inbox;
  return {
    module,
    database,
    dataSource: database.dataSource,
    inbox,
    worker,
    wakeUp,
    async connect(account, tenant = ACME, provider = 'testp') {
      const id = randomUUID();
      await database.dataSource.query(
        `INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
         VALUES ($1, $2, 'u1', $4, $3, $3, $3, 'oauth2', 'connected')`,
        [id, tenant, account, provider],
      );
      await module.get(ConnectionSeals, { strict: false }).sealUnsealed();
      return id;
    },
    deliver: (body, provider = 'testp') => inbox.receive(provider, rawDelivery(signedDelivery({ as: 'stripe', secret: SECRET, body }))),
    async settled() {
      await wakeUp.drain();
      await worker.idle();
    },
    rows: (sql, params) => database.dataSource.query(sql, params),
    async close() {
      await module.close();
      await lockPool?.close();
      await database.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
