import { Module, type DynamicModule } from '@nestjs/common';
import { bindToControllers } from './http-api/edge/own-routes';
import { HttpApiModule } from './http-api/http-api.module';
import type { AsyncPrincipals } from './http-api/principal/principal-resolver';
import { partsOf, type AppParts } from './app.module';
import { ConfigModule, type AsyncSettings } from './config/config.module';
import type { Settings } from './config/env';
import { PlainOperationsModule, PlainProvidersModule, type PlainProvider } from './integrations';

export interface TrestleParts extends AppParts {
  /** Providers of the application's own that are data. Their settings are declared to `loadSettings` (`plainSettings`). */
  readonly providers?: readonly PlainProvider[];
  /** Whom a call below `/v1` is from, where the application knows it by itself. Default: bearer tokens alone. */
  readonly principals?: AsyncPrincipals;
}

/**
 * Trestle within somebody else's Nest application: its guard and its filter stand before its own routes alone, and its database is
 * beside the application's own. `imports` are modules that use Trestle (handlers, operations); their controllers are the application's.
 */
@Module({})
export class TrestleModule {
  static forRoot(settings: Settings, parts: TrestleParts = {}): DynamicModule {
    return guestOf(ConfigModule.forRoot(settings, parts.clock), parts);
  }

  /** For settings that come of something that Nest makes: `{ imports, inject, useFactory }`. */
  static forRootAsync(settings: AsyncSettings, parts: TrestleParts = {}): DynamicModule {
    return guestOf(ConfigModule.forRootAsync(settings, parts.clock), parts);
  }
}

function guestOf(config: DynamicModule, { logger, principals, providers = [], imports = [], migrations }: TrestleParts): DynamicModule {
  const own = partsOf({ migrations });
  const http = HttpApiModule.forRoot({ logger, principals, bound: true });
  bindToControllers([{ ...http, imports: [] }, ...(own as DynamicModule[])]);
  return {
    module: TrestleModule,
    imports: [config, http, ...own, PlainProvidersModule.forRoot(providers), PlainOperationsModule.forRoot(providers), ...imports],
  };
}
