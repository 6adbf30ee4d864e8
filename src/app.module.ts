import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { HttpApiModule } from './http-api/http-api.module';
import type { EdgeLogger } from './http-api/edge/logger';
import { AppHandlersModule, PRODUCT_MIGRATIONS } from './app-handlers';
import type { Clock } from './clock';
import { ConfigModule, type AsyncSettings } from './config/config.module';
import type { Migration } from './config/data-source-options';
import type { Settings } from './config/env';
import { DatabaseModule, OnlyDatabaseModule } from './database';
import { IntegrationsModule, PlainOperationsModule, PlainProvidersModule } from './integrations';
import { PLAIN_PROVIDERS, PROVIDERS } from './providers';
import { UiModule } from './ui/ui.module';

/** Of the service that runs by itself. */
export { StartPageModule } from './ui/start/start-page.module';

export interface AppParts {
  /** Default: one that writes to the standard output. */
  readonly logger?: EdgeLogger;
  readonly clock?: Clock;
  /** Modules of the product that runs Trestle inside itself: its handlers, its pages. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** The migrations of these modules. */
  readonly migrations?: readonly Migration[];
}

/** The map: every part of the service, each a folder. */
@Module({})
export class AppModule {
  static forRoot(settings: Settings, parts: AppParts = {}): DynamicModule {
    return serviceOf(ConfigModule.forRoot(settings, parts.clock), parts);
  }

  /** For settings that come of something that Nest makes: `{ imports, inject, useFactory }`. */
  static forRootAsync(settings: AsyncSettings, parts: AppParts = {}): DynamicModule {
    return serviceOf(ConfigModule.forRootAsync(settings, parts.clock), parts);
  }
}

/** The service is the application: its guard stands before every route, its database is the only one. */
function serviceOf(config: DynamicModule, parts: AppParts): DynamicModule {
  return {
    module: AppModule,
    imports: [config, OnlyDatabaseModule, HttpApiModule.forRoot(parts), ...partsOf(parts), ...(parts.imports ?? [])],
  };
}

/** All but settings and the HTTP edge. */
export function partsOf({ migrations = [] }: Pick<AppParts, 'migrations'>): NonNullable<ModuleMetadata['imports']> {
  return [
    DatabaseModule.forRoot([...PRODUCT_MIGRATIONS, ...migrations]),
    IntegrationsModule,
    ...PROVIDERS,
    PlainProvidersModule.forRoot(PLAIN_PROVIDERS),
    PlainOperationsModule.forRoot(PLAIN_PROVIDERS),
    UiModule,
    AppHandlersModule,
  ];
}
