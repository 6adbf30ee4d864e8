import { Global, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database';
import { systemClock, type Clock } from '../../../clock';
import { ConfigModule } from '../../../config/config.module';
import { PLAIN_BRAND } from '../../../config/brand';
import type { Settings } from '../../../config/env';
import { BrowserNews, BrowserSessions, PageFrames } from '../../../http-api';
import { DATABASE_TOKEN, LOCK_POOL, LockPool, ManagedDataSource, OWN_DATA_SOURCE } from '../../../database';
import { startSandbox, type Sandbox } from '../../../../sandbox';
import { ConnectionRepository } from '../../connections/connection.repository';
import { IntegrationEvents, type IntegrationEvent } from '../../integration-events';
import { TokenRepository } from '../../connections/tokens/token.repository';
import { toRef } from '../../connections/connection';
import type { ConnectionRef, Provider, TokenGrant } from '../../contract';
import { ProviderRegistry } from '../../providers/provider-registry';
import { ProviderRegistryModule } from '../../providers/provider-registry.module';
import { ConnectionStatusService } from '../../connections/connection-status.service';
import { DisconnectService } from '../../connections/disconnect.service';
import { ConnectModule } from '../connect.module';
import { TokenService } from '../../connections/tokens/token.service';
import { fields, grantOf, sandboxProviders } from './sandbox-providers';

/** Real time, moved by hand. */
export class ShiftedClock implements Clock {
  offsetMs = 0;
  now = () => Date.now() + this.offsetMs;
  sleep = (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal);
  advance(ms: number): void {
    this.offsetMs += ms;
  }
}

/** What one process of the service has. */
export interface Process {
  readonly tokens: TokenService;
  readonly repository: TokenRepository;
  readonly connections: ConnectionRepository;
  readonly status: ConnectionStatusService;
  readonly disconnects: DisconnectService;
  readonly events: IntegrationEvent[];
  readonly module: TestingModule;
}

export interface TokenFixture {
  readonly clock: ShiftedClock;
  readonly sandbox: Sandbox;
  readonly database: TestDatabase;
  readonly providers: ReturnType<typeof sandboxProviders>;
  readonly processes: readonly Process[];
  /** Connects an account of its own with tokens minted at the sandbox. */
  connect(provider: 'chat' | 'mail'): Promise<ConnectionRef>;
  /** Token calls that the sandbox got since the last `clear`. */
  refreshes(provider: 'chat' | 'mail'): number;
  clear(): void;
  /** Every text in every table. */
  everything(): Promise<string>;
  close(): Promise<void>;
}

const settings = {
  production: false,
  publicUrl: 'http://localhost:3000',
  returnToOrigins: ['http://localhost:3000'],
  encryptionKeys: [{ id: 'k1', key: randomBytes(32) }],
  brand: PLAIN_BRAND,
  languageFiles: {},
} as unknown as Settings;

/** `processes` counts only on a server: the embedded database has one. */
export async function tokenFixture(options: { processes?: number } = {}): Promise<TokenFixture> {
  const clock = new ShiftedClock();
  const sandbox = await startSandbox({ autoConsent: 'allow', now: clock.now });
  const database = await createTestDatabase();
  const providers = sandboxProviders(sandbox);
  const parts: { process: Process; close(): Promise<void> }[] = [];
  for (let i = 0; i < (database.kind === 'server' ? (options.processes ?? 1) : 1); i++)
    parts.push(await startProcess(database, clock, Object.values(providers)));
  const [first] = parts.map(({ process }) => process) as [Process];
  let accounts = 0;
  return {
    clock,
    sandbox,
    database,
    providers,
    processes: parts.map(({ process }) => process),
    connect: (provider) => connect(first, sandbox, provider, `${++accounts}`, clock),
    refreshes: (provider) =>
      sandbox.control.ledger({ kind: 'request', endpoint: provider === 'chat' ? 'oauth.v2.access' : 'oauth.token' }).length,
    clear: () => {
      sandbox.control.clearFaults();
      sandbox.control.clearLedger();
    },
    everything: () => everythingIn(database.dataSource),
    close: async () => {
      for (const part of parts) await part.close();
      await sandbox.stop();
      await database.close();
    },
  };
}

async function startProcess(
  database: TestDatabase,
  clock: Clock,
  providers: readonly Provider[],
): Promise<{ process: Process; close(): Promise<void> }> {
  const dataSource = database.url ? await ManagedDataSource.open({ databaseUrl: database.url, dataDir: '' }) : database.dataSource;
  if (!dataSource.isInitialized) await dataSource.initialize();
  const lockPool = database.url ? new LockPool(database.url) : null;
  const shared = [
    { provide: DATABASE_TOKEN, useValue: dataSource },
    { provide: LOCK_POOL, useValue: lockPool },
    BrowserSessions,
    BrowserNews,
    PageFrames,
  ];
  @Global()
  @Module({ providers: [OWN_DATA_SOURCE, ...shared], exports: shared.map((part) => ('provide' in part ? part.provide : part)) })
  class PartsModule {}
  const module = await Test.createTestingModule({
    imports: [ConfigModule.forRoot(settings, clock), PartsModule, ProviderRegistryModule, ConnectModule],
  }).compile();
  await module.init();
  for (const provider of providers) module.get(ProviderRegistry).register(provider);
  const events: IntegrationEvent[] = [];
  module.get(IntegrationEvents, { strict: false }).on('*', (event) => events.push(event));
  const process: Process = {
    module,
    events,
    tokens: module.get(TokenService, { strict: false }),
    repository: module.get(TokenRepository, { strict: false }),
    connections: module.get(ConnectionRepository, { strict: false }),
    status: module.get(ConnectionStatusService, { strict: false }),
    disconnects: module.get(DisconnectService, { strict: false }),
  };
  return {
    process,
    close: async () => {
      await module.close();
      await lockPool?.close();
      if (database.url) await dataSource.destroy();
    },
  };
}

async function connect(
  process: Process,
  sandbox: Sandbox,
  provider: 'chat' | 'mail',
  account: string,
  clock: Clock,
): Promise<ConnectionRef> {
  const answer =
    provider === 'chat'
      ? sandbox.control.mint({ provider: 'slack', account: `T_${account}`, userScopes: ['users:read'] })
      : sandbox.control.mint({ provider: 'google', account: `p${account}@acme.test` });
  const grants: TokenGrant[] =
    provider === 'chat' ? [grantOf('bot', answer, ','), grantOf('user', fields(answer['authed_user']), ',')] : [grantOf('default', answer)];
  const at = new Date(clock.now());
  const dataSource = process.module.get(DataSource, { strict: false });
  const { connection } = await process.connections.upsertConnected(dataSource.manager, {
    tenant: 'acme',
    userId: 'u1',
    provider,
    authType: 'oauth2',
    account: { accountId: account, accountName: `Account ${account}` },
    scopes: [],
    at,
  });
  await process.repository.save(dataSource.manager, connection, grants, { mode: 'replace', at });
  return toRef(connection);
}

export async function everythingIn(dataSource: DataSource): Promise<string> {
  const tables: { name: string }[] = await dataSource.query(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const rows: { text: string }[] = await dataSource.query(`SELECT t::text AS text FROM "${name}" t`);
    texts.push(...rows.map(({ text }) => text));
  }
  return texts.join('\n');
}
