import { Global, Module, type Provider as Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { systemClock } from '../../src/clock';
import { ConfigModule } from '../../src/config/config.module';
import { loadSettings, type Settings } from '../../src/config/env';
import { PROVIDER_SETTINGS } from '../../src/providers';
import { DATABASE_TOKEN, LOCK_POOL } from '../../src/database';
import {
  ConnectionRepository,
  GovernedHttp,
  ProviderRegistry,
  toRef,
  type ConnectionRef,
  type Extent,
  type Provider,
  type SyncContext,
  type SyncPage,
  type SyncResource,
  type AccountIdentity,
} from '../../src/integrations';
import { ConnectionsModule } from '../../src/integrations/connections/connections.module';
import { TokenRepository } from '../../src/integrations/connections/tokens/token.repository';
import { ProviderRegistryModule } from '../../src/integrations/providers/provider-registry.module';
import { startSandbox, type ProviderName, type Sandbox } from '../../sandbox';
import { createTestDatabase } from './test-database';

export interface ProviderFixture {
  readonly sandbox: Sandbox;
  readonly settings: Settings;
  readonly module: TestingModule;
  /** Registers the provider as its module would. */
  register(provider: Provider): void;
  /** A connection with tokens minted at the sandbox, identified by the provider's own code. */
  connect(provider: ProviderName, account?: string): Promise<ConnectionRef>;
  /** What the engine would hand to a resource. */
  syncContext(connection: ConnectionRef, partition?: string, overrides?: Partial<SyncContext>): SyncContext;
  close(): Promise<void>;
}

/** One provider's injectables on the real chain, before a sandbox and a database of their own. */
export async function providerFixture(injectables: readonly Injectable[], env: Record<string, string> = {}): Promise<ProviderFixture> {
  const sandbox = await startSandbox();
  const database = await createTestDatabase();
  const settings = loadSettings(
    {
      NODE_ENV: 'test',
      DATA_DIR: '/nonexistent',
      ENCRYPTION_KEYS: `k1:${Buffer.from('a key of 32 bytes for this test.').toString('base64')}`,
      API_JWT_SECRET: 'x'.repeat(32),
      LOG_LEVEL: 'silent',
      ...sandbox.env(),
      ...env,
    },
    PROVIDER_SETTINGS,
  );

  @Global()
  @Module({
    providers: [
      { provide: DATABASE_TOKEN, useValue: database.dataSource },
      { provide: LOCK_POOL, useValue: null },
    ],
    exports: [DATABASE_TOKEN, LOCK_POOL],
  })
  class TestDatabaseModule {}

  const module = await Test.createTestingModule({
    imports: [ConfigModule.forRoot(settings, systemClock), TestDatabaseModule, ProviderRegistryModule, ConnectionsModule],
    providers: [...injectables],
  }).compile();
  module.useLogger(false);
  await module.init();
  const registry = module.get(ProviderRegistry);
  const http = module.get(GovernedHttp, { strict: false });

  return {
    sandbox,
    settings,
    module,
    register: (provider) => registry.register(provider),
    connect: async (key, account) => {
      const provider = registry.get(key);
      const body = sandbox.control.mint({ provider: key, ...(account === undefined ? {} : { account }) });
      const grants = provider.auth.parseTokenResponse(body, { step: 'exchange' });
      const [first] = grants;
      const bearer: typeof fetch = (input, init) =>
        fetch(input, {
          ...init,
          headers: { ...Object.fromEntries(new Headers(init?.headers)), authorization: `Bearer ${first?.accessToken}` },
        });
      const [identity] = [await provider.auth.identify({ fetch: bearer, grants, tokenBody: body })].flat() as [AccountIdentity];
      const at = new Date();
      const { connection } = await module.get(ConnectionRepository, { strict: false }).upsertConnected(database.dataSource.manager, {
        tenant: 'acme',
        userId: 'ada',
        provider: key,
        authType: 'oauth2',
        account: identity,
        scopes: [],
        at,
      });
      await module.get(TokenRepository, { strict: false }).save(database.dataSource.manager, connection, grants, { mode: 'replace', at });
      return toRef(connection);
    },
    syncContext: (connection, partition = '', overrides = {}) => {
      const { signal } = new AbortController();
      return {
        connection,
        fetch: http.fetchFor(connection, { signal, operation: 'sync' }),
        partition,
        checkpoint: undefined,
        signal,
        now: () => Date.now(),
        ...overrides,
      };
    },
    close: async () => {
      await module.close();
      await sandbox.stop();
      await database.close();
    },
  };
}

/** The records that a walk leaves behind, and the last cursor that it gave. */
export interface Walked {
  readonly records: Map<string, unknown>;
  readonly deleted: string[];
  readonly cursor: unknown;
  readonly pages: readonly SyncPage[];
  /** What the walk said of itself. */
  readonly extent: Extent | undefined;
}

export async function walked(pages: AsyncIterable<SyncPage, Extent | void>): Promise<Walked> {
  const records = new Map<string, unknown>();
  const deleted: string[] = [];
  const seen: SyncPage[] = [];
  let cursor: unknown;
  const iterator = pages[Symbol.asyncIterator]();
  let next = await iterator.next();
  for (; !next.done; next = await iterator.next()) {
    const page = next.value;
    seen.push(page);
    if (page.cursor !== undefined) cursor = page.cursor;
    for (const record of page.records) {
      if (record.deleted) {
        records.delete(record.id);
        deleted.push(record.id);
      } else records.set(record.id, record.data);
    }
  }
  return { records, deleted, cursor, pages: seen, extent: next.value ?? undefined };
}

export function resourceOf(provider: Provider, name: string): SyncResource {
  const found = provider.sync?.resources.find((resource) => resource.name === name);
  if (!found) throw new Error(`no resource ${name}`);
  return found;
}
