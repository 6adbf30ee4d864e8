import { Module, type DynamicModule } from '@nestjs/common';
import { bindToControllers, routesBelow, typesOf } from './http-api/edge/own-routes';
import { HttpApiModule } from './http-api/http-api.module';
import type { AsyncPrincipals } from './http-api/principal/principal-resolver';
import { partsOf, type AppParts } from './app.module';
import { prefixPath } from './config/base-path';
import { ConfigModule, type AsyncSettings } from './config/config.module';
import type { Settings } from './config/env';
import { PlainOperationsModule, PlainProvidersModule, type PlainProvider } from './integrations';

export interface TrestleParts extends AppParts {
  /** Providers of the application's own that are data. Their settings are declared to `loadSettings` (`plainSettings`). */
  readonly providers?: readonly PlainProvider[];
  /** Whom a call below `/v1` is from, where the application knows it by itself. Default: bearer tokens alone. */
  readonly principals?: AsyncPrincipals;
  /** The path below which all of Trestle's routes lie, e.g. `integrations`; links, redirects and the addresses to register go by it. Default: the path of PUBLIC_URL, else none. */
  readonly prefix?: string;
}

/**
 * Trestle within somebody else's Nest application: its guard and its filter stand before its own routes alone, and its database is
 * beside the application's own. `imports` are modules that use Trestle (handlers, operations); their controllers are the application's.
 */
@Module({})
export class TrestleModule {
  static forRoot(settings: Settings, parts: TrestleParts = {}): DynamicModule {
    const prefix = parts.prefix ?? settings.basePath;
    return guestOf(ConfigModule.forRoot(settings, parts.clock, prefix), { ...parts, prefix });
  }

  /** For settings that come of something that Nest makes: `{ imports, inject, useFactory }`. */
  static forRootAsync(settings: AsyncSettings, parts: TrestleParts = {}): DynamicModule {
    return guestOf(ConfigModule.forRootAsync(settings, parts.clock, parts.prefix), parts);
  }
}

function guestOf(
  config: DynamicModule,
  { logger, principals, prefix = '', providers = [], imports = [], migrations }: TrestleParts,
): DynamicModule {
  const own = partsOf({ migrations }) as DynamicModule[];
  const http = HttpApiModule.forRoot({ logger, principals, guest: [HttpApiModule, ...typesOf(own)] });
  const routes = [{ ...http, imports: [] }, ...own];
  bindToControllers(routes);
  const path = prefixPath(prefix);
  return {
    module: TrestleModule,
    imports: [
      ...(path ? [routesBelow(path, routes)] : []),
      config,
      http,
      ...own,
      PlainProvidersModule.forRoot(providers),
      PlainOperationsModule.forRoot(providers),
      ...imports,
    ],
  };
}
