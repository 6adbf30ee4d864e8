import { Body, Controller, Get, Module, Post, type INestApplication } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { SignJWT } from 'jose';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configureApp, listen } from '../../src/bootstrap';
import { loadSettings, type Env } from '../../src/config/env';
import { drainAndClose } from '../../src/http-api/edge/drain';
import { AccessGuard } from '../../src/http-api/principal/access.guard';
import { ProblemFilter } from '../../src/http-api/problems/problem.filter';
import { EdgeAdapter } from '../../src/http-api/edge/edge-adapter';
import { ExpressEdgeAdapter } from '../../src/http-api/edge/express-edge-adapter';
import { PROVIDER_SETTINGS } from '../../src/providers';
import { requestContext } from '../../src/request-context';
import { TrestleModule } from '../../src/trestle.module';
import { startSandbox, type Sandbox } from '../../sandbox';
import { asServiceRole, createServerDatabase, dropServerDatabase, layEmbeddedDatabase } from './test-database';

/** What the application has of its own. */
@Controller()
class ShopController {
  @Get('shop')
  show(): { shop: string } {
    return { shop: 'open' };
  }

  @Post('shop')
  take(@Body() body: unknown): { took: unknown } {
    return { took: body };
  }

  @Get('shop/broken')
  broken(): never {
    throw new Error('the shop broke');
  }
}

@Module({ controllers: [ShopController] })
class ShopModule {}

export interface HostApp {
  /** Of the application, without a path. */
  readonly origin: string;
  /** Where Trestle lies. */
  readonly url: string;
  readonly app: INestApplication;
  readonly sandbox: Sandbox;
  tokenFor(who: { tenant: string; user: string; role?: string }): Promise<string>;
  close(): Promise<void>;
}

export interface HostAppOptions {
  readonly host: 'Fastify' | 'Express';
  readonly prefix?: string;
  readonly settings?: Env;
  /** Done to the application before Trestle is configured. */
  readonly before?: (app: INestApplication) => void;
}

/** Somebody's own Nest application, with Trestle as one of its modules. It starts as it does by itself: outside of the test's context. */
export function startHostApp(options: HostAppOptions): Promise<HostApp> {
  return requestContext.exit(() => start(options));
}

async function start({ host, prefix, settings: overrides, before }: HostAppOptions): Promise<HostApp> {
  const folder = await mkdtemp(join(tmpdir(), 'trestle-host-'));
  const server = process.env['TEST_DATABASE_URL'];
  const databaseUrl = server && (await createServerDatabase(server));
  const sandbox = await startSandbox({ autoConsent: 'allow' });
  const settings = loadSettings(
    {
      NODE_ENV: 'test',
      PORT: '0',
      DATA_DIR: folder,
      DATABASE_URL: databaseUrl && asServiceRole(databaseUrl),
      API_JWT_SECRET: randomUUID() + randomUUID(),
      LOG_LEVEL: 'silent',
      ...sandbox.env(),
      SANDBOX: 'on',
      ...overrides,
    },
    PROVIDER_SETTINGS,
  );
  if (!settings.databaseUrl) layEmbeddedDatabase(settings.dataDir);
  const module = await Test.createTestingModule({ imports: [ShopModule, TrestleModule.forRoot(settings, { prefix })] }).compile();
  const app =
    host === 'Express'
      ? module.createNestApplication(new ExpressEdgeAdapter(settings), { logger: false })
      : module.createNestApplication(new EdgeAdapter(settings), { logger: false, bodyParser: false });
  const controllers = [...module.get(ModulesContainer).values()].flatMap((each) =>
    [...each.controllers.values()].map(({ metatype }) => metatype),
  );
  const close = async () => {
    await requestContext.exit(() => drainAndClose(app, { noticeMs: 0, finishMs: 2_000 }));
    controllers.forEach(unbind);
    await sandbox.stop();
    if (server && databaseUrl) await dropServerDatabase(server, databaseUrl);
    await rm(folder, { recursive: true, force: true });
  };
  before?.(app);
  let origin: string;
  try {
    await configureApp(app);
    origin = await listen(app, settings);
  } catch (error) {
    await close(); // what it began would go on beside the tests that follow
    throw error;
  }
  sandbox.setWebhookTarget(settings.publicUrl);
  return {
    origin,
    url: settings.publicUrl,
    app,
    sandbox,
    tokenFor: ({ tenant, user, role = 'user' }) =>
      new SignJWT({ tenant, role })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(user)
        .setJti(randomUUID())
        .setExpirationTime('1h')
        .sign(new TextEncoder().encode(settings.apiJwtSecret)),
    close,
  };
}

/** What Trestle bound to its controllers in this application: the test files that follow find them as they were. */
function unbind(controller: unknown): void {
  for (const [key, bound] of [
    ['__guards__', AccessGuard],
    ['__exceptionFilters__', ProblemFilter],
  ] as const) {
    const all = Reflect.getMetadata(key, controller as object) as unknown[] | undefined;
    if (all?.includes(bound))
      Reflect.defineMetadata(
        key,
        all.filter((each) => each !== bound),
        controller as object,
      );
  }
}
