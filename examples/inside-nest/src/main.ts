import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import {
  configureApp,
  drainAndClose,
  EdgeAdapter,
  IntegrationError,
  listen,
  loadSettings,
  openEmbeddedPostgres,
  plainSettings,
  PROVIDER_SETTINGS,
  TrestleModule,
  type PrincipalResolver,
  type ResolvedCaller,
} from 'trestle';
import { MentionsModule, ShopMentions1764890000000 } from './mentions';
import { parcels } from './parcels.provider';
import { ShopModule } from './shop.module';

/** Who is signed in at the shop, as the shop knows it; here by a header that stands for its own sessions. */
@Injectable()
class ShopUsers implements PrincipalResolver {
  resolve(headers: IncomingHttpHeaders): ResolvedCaller | undefined {
    const user = headers['x-shop-user'];
    if (user === undefined) return undefined; // a bearer token, then
    if (user === 'blocked') throw new IntegrationError('unauthorized', { detail: 'The shop has closed this account.' });
    const [name, role] = String(user).split(':');
    return { caller: { tenant: 'shop', userId: name ?? '', role: role === 'admin' ? 'admin' : 'user' }, expiresAt: Date.now() + 3_600_000 };
  }
}

@Module({ providers: [ShopUsers], exports: [ShopUsers] })
class ShopUsersModule {}

export interface RunningShop {
  readonly url: string;
  close(): Promise<void>;
}

/** @param env settings of Trestle, by their names in the environment */
export async function startShop(env: Record<string, string>, dataDir: string): Promise<RunningShop> {
  const settings = loadSettings({ ...env, DATA_DIR: join(dataDir, 'trestle') }, [...PROVIDER_SETTINGS, plainSettings(parcels)]);
  const postgres = await openEmbeddedPostgres(join(dataDir, 'shop'));

  @Module({
    imports: [
      TypeOrmModule.forRoot({
        type: 'postgres',
        autoLoadEntities: true,
        synchronize: true,
        installExtensions: false,
        extra: postgres.poolConfig(),
      }),
      ShopModule,
      TrestleModule.forRoot(settings, {
        imports: [MentionsModule],
        migrations: [ShopMentions1764890000000],
        providers: [parcels],
        principals: { imports: [ShopUsersModule], inject: [ShopUsers], useFactory: (users: ShopUsers) => users },
      }),
    ],
  })
  class AppModule {}

  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new EdgeAdapter(settings), {
    bodyParser: false,
    abortOnError: false,
  });
  await configureApp(app);
  const url = await listen(app, settings);
  return {
    url,
    close: async () => {
      await drainAndClose(app, { noticeMs: 0, finishMs: 2_000 });
      await postgres.close();
    },
  };
}
