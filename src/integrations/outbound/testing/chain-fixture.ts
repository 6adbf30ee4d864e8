import { Global, Module, type ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import type { DataSource } from 'typeorm';
import { v7 as uuid } from 'uuid';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database';
import { systemClock } from '../../../clock';
import { ConfigModule } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { DATABASE_TOKEN, LOCK_POOL, PROCESS_SIGNS } from '../../../database';
import { startSandbox, type Sandbox } from '../../../../sandbox';
import { ConnectionRepository } from '../../connections/connection.repository';
import { ConnectionsModule } from '../../connections/connections.module';
import { GovernedHttp } from '../../connections/governed-http';
import { TokenRepository } from '../../connections/tokens/token.repository';
import { toRef } from '../../connections/connection';
import type { ConnectionRef, HttpFacts, Provider } from '../../contract';
import { ProviderRegistry } from '../../providers/provider-registry';
import { ProviderRegistryModule } from '../../providers/provider-registry.module';
import type { CircuitBreakerOptions } from '../policies/circuit-breaker';
import { CircuitStates } from '../policies/circuit-states';
import { providersOn } from './provider-fixtures';

type ProviderName = 'slack' | 'stripe' | 'google';

export interface ChainFixture {
  readonly sandbox: Sandbox;
  readonly module: TestingModule;
  readonly dataSource: DataSource;
  readonly http: GovernedHttp;
  readonly providers: Record<ProviderName, Provider>;
  /** A connection with a token minted at the sandbox; `authType` is that of the provider's fixture. */
  connect(provider: ProviderName, account?: string): Promise<ConnectionRef>;
  statusOf(connection: ConnectionRef): Promise<string | undefined>;
  /** Requests that the sandbox got at this endpoint since the last `clear`. */
  hits(endpoint: string): number;
  clear(): void;
  close(): Promise<void>;
}

export interface ChainFixtureOptions {
  /** Over the facts of every provider. */
  http?: Partial<HttpFacts>;
  /** Default: a circuit that does not open, since what one test breaks must not end the next. */
  circuit?: Partial<CircuitBreakerOptions>;
  controllers?: ModuleMetadata['controllers'];
  imports?: NonNullable<ModuleMetadata['imports']>;
  /** Other servers in the place of the sandbox's. */
  apiBaseUrls?: Partial<Record<ProviderName, string>>;
}

/** The chain with the real token life cycle on a fresh database, before a sandbox of its own. */
export async function chainFixture({
  http = {},
  circuit = { minimumTries: 100_000 },
  controllers = [],
  apiBaseUrls = {},
  imports = [],
}: ChainFixtureOptions = {}): Promise<ChainFixture> {
  const sandbox = await startSandbox();
  const database = await createTestDatabase();
  const module = await Test.createTestingModule({
    imports: [
      ConfigModule.forRoot(settings(), systemClock),
      databaseModule(database),
      ProviderRegistryModule,
      ConnectionsModule,
      ...imports,
    ],
    controllers,
  })
    .overrideProvider(CircuitStates)
    .useValue(new CircuitStates(systemClock, Math.random, circuit))
    .compile();
  await module.init();
  const providers = providersOn(sandbox, http, apiBaseUrls);
  const registry = module.get(ProviderRegistry);
  Object.values(providers).forEach((provider) => registry.register(provider));
  return {
    sandbox,
    module,
    dataSource: database.dataSource,
    http: module.get(GovernedHttp),
    providers,
    connect: (provider, account) => connect(module, database.dataSource, sandbox, providers[provider], account),
    statusOf: async (connection) => (await module.get(ConnectionRepository).findById(connection.id))?.status,
    hits: (endpoint) => sandbox.control.ledger({ kind: 'request', endpoint }).length,
    clear: () => {
      sandbox.control.clearFaults();
      sandbox.control.clearLedger();
    },
    close: async () => {
      await module.close();
      await sandbox.stop();
      await database.close();
    },
  };
}

function settings(): Settings {
  return { production: false, proxy: 'any', encryptionKeys: [{ id: 'k1', key: Buffer.alloc(32, 'chain-fixture') }] } as unknown as Settings;
}

function databaseModule(database: TestDatabase) {
  @Global()
  @Module({
    providers: [
      { provide: DATABASE_TOKEN, useValue: database.dataSource },
      { provide: LOCK_POOL, useValue: null },
      { provide: PROCESS_SIGNS, useValue: undefined },
    ],
    exports: [DATABASE_TOKEN, LOCK_POOL, PROCESS_SIGNS],
  })
  class TestDatabaseModule {}
  return TestDatabaseModule;
}

async function connect(
  module: TestingModule,
  dataSource: DataSource,
  sandbox: Sandbox,
  provider: Provider,
  account?: string,
): Promise<ConnectionRef> {
  const answer = sandbox.control.mint({ provider: provider.key as ProviderName, ...(account && { account }) });
  const at = new Date();
  const { connection } = await module.get(ConnectionRepository).upsertConnected(dataSource.manager, {
    tenant: 'acme',
    userId: uuid(),
    provider: provider.key,
    authType: provider.key === 'stripe' ? 'api_key' : 'oauth2',
    account: { accountId: account ?? 'default', accountName: 'Acme' },
    scopes: [],
    at,
  });
  const grant = {
    kind: provider.key === 'slack' ? 'bot' : 'default',
    accessToken: String(answer['access_token']),
    ...(typeof answer['refresh_token'] === 'string' && provider.key !== 'stripe' && { refreshToken: answer['refresh_token'] }),
    expiresInS: 43_200,
    scopes: [],
  };
  await module.get(TokenRepository).save(dataSource.manager, connection, [grant], { mode: 'replace', at });
  return toRef(connection);
}
