import { Test } from '@nestjs/testing';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import Redis from 'ioredis';
import { SignJWT } from 'jose';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DestinationStream } from 'pino';
import { drainAndClose } from '../../src/http-api/edge/drain';
import { createLogger } from '../../src/http-api/logging';
import type { Role } from '../../src/http-api/principal/principal';
import { AppModule, type AppParts } from '../../src/app.module';
import { configureApp, listen, nestOptions, serviceAdapter } from '../../src/bootstrap';
import type { Clock } from '../../src/clock';
import { loadSettings, type Env, type Settings } from '../../src/config/env';
import { PROVIDER_SETTINGS } from '../../src/providers';
import { requestContext } from '../../src/request-context';
import { startSandbox, type Sandbox, type SandboxOptions } from '../../sandbox';
import { asServiceRole, createServerDatabase, dropServerDatabase, layEmbeddedDatabase } from './test-database';

// The whole service on a busy machine takes its time to start; a test of its own logic has the usual limit in its own file.
if (typeof jest !== 'undefined') jest.setTimeout(120_000);

export interface TestAppOptions {
  /** Environment variables over the test's own. */
  settings?: Env;
  clock?: Clock;
  /** Options of the sandbox; `autoConsent` is `allow` by default. `false`: no sandbox, no provider configured. */
  sandbox?: SandboxOptions | false;
  /** Further modules, e.g. with a controller that a test needs. */
  imports?: AppParts['imports'];
  /** On a server: the service is the owner of its tables, as the test changes one. Otherwise it has the rights to run, and no others. */
  ownsTables?: boolean;
  /** Takes the log lines, one JSON object each; without it nothing is logged. */
  log?: DestinationStream;
}

export interface TestApp {
  /** Origin, without a trailing slash; also the app's PUBLIC_URL. */
  readonly url: string;
  readonly app: NestFastifyApplication;
  readonly settings: Settings;
  /** The pretend providers, on the app's clock; their webhooks reach the app. Throws where the test asked for none. */
  readonly sandbox: Sandbox;
  /** An access token as the product's backend would make it; valid for an hour of the app's clock. */
  tokenFor(who: { tenant: string; user: string; role?: Role }): Promise<string>;
  close(): Promise<void>;
}

/** The whole service on a free port with a database of its own: embedded, or on TEST_DATABASE_URL. It starts as it does by itself: outside of the test's context. */
export function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  return requestContext.exit(() => start(options));
}

async function start({
  settings: overrides = {},
  clock,
  imports = [],
  log,
  ownsTables = false,
  sandbox: sandboxOptions = {},
}: TestAppOptions): Promise<TestApp> {
  const folder = await mkdtemp(join(tmpdir(), 'trestle-test-'));
  const server = process.env['TEST_DATABASE_URL'];
  const databaseUrl = server && (await createServerDatabase(server));
  const sandbox =
    sandboxOptions === false
      ? undefined
      : await startSandbox({ autoConsent: 'allow', now: clock && (() => clock.now()), ...sandboxOptions });
  const loaded = loadSettings(
    {
      NODE_ENV: 'test',
      PORT: '0',
      DATA_DIR: folder,
      DATABASE_URL: databaseUrl && (ownsTables ? databaseUrl : asServiceRole(databaseUrl)),
      REDIS_URL: databaseUrl && (await emptyRedis(process.env['TEST_REDIS_URL'])),
      API_JWT_SECRET: randomUUID() + randomUUID(),
      LOG_LEVEL: log ? 'debug' : 'silent',
      ...sandbox?.env(),
      SANDBOX: sandbox ? 'on' : 'off',
      ...overrides,
    },
    PROVIDER_SETTINGS,
  );
  const settings: Settings = { ...loaded, ...(sandbox && { sandboxPage: `${sandbox.urls.control}/page` }) };
  const logger = createLogger(settings, log);
  if (!settings.databaseUrl) layEmbeddedDatabase(settings.dataDir);
  const module = await Test.createTestingModule({ imports: [AppModule.forRoot(settings, { logger, clock, imports })] }).compile();
  const app = module.createNestApplication<NestFastifyApplication>(serviceAdapter(settings), nestOptions(logger));
  await configureApp(app);
  const url = await listen(app, settings);
  if (!sandboxOptions || sandboxOptions.webhookTarget === undefined) sandbox?.setWebhookTarget(url);

  return {
    url,
    app,
    settings,
    get sandbox() {
      if (!sandbox) throw new Error('This test app was started without the sandbox.');
      return sandbox;
    },
    tokenFor: ({ tenant, user, role = 'user' }) => {
      const now = Math.floor((clock?.now() ?? Date.now()) / 1_000);
      const token = new SignJWT({ tenant, role }).setProtectedHeader({ alg: 'HS256' }).setSubject(user).setJti(randomUUID());
      return token.setExpirationTime(now + 3_600).sign(new TextEncoder().encode(settings.apiJwtSecret));
    },
    close: async () => {
      await requestContext.exit(() => drainAndClose(app, { noticeMs: 0, finishMs: 2_000 }));
      await sandbox?.stop();
      if (server && databaseUrl) await dropServerDatabase(server, databaseUrl);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A Redis database for this worker of the test runner, emptied: what another test left (closed limits, open breakers) must not be met here. */
async function emptyRedis(server: string | undefined): Promise<string | undefined> {
  if (!server) return undefined;
  const url = new URL(server);
  url.pathname = `/${Number(process.env['JEST_WORKER_ID'] ?? 1) % 16}`;
  const redis = new Redis(url.href);
  try {
    await redis.flushdb();
  } finally {
    redis.disconnect();
  }
  return url.href;
}
