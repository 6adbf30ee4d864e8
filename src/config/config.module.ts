import { Global, Module, type DynamicModule, type FactoryProvider, type ModuleMetadata, type Provider } from '@nestjs/common';
import { CLOCK, systemClock, type Clock } from '../clock';
import type { Settings } from './env';

/** Injection token of the validated `Settings`. */
export const SETTINGS = Symbol('Settings');

/** How settings are made of what other injectables give. */
export interface AsyncSettings extends Pick<ModuleMetadata, 'imports'>, Pick<FactoryProvider<Settings>, 'inject' | 'useFactory'> {}

/** Hands the settings and the clock to everybody; both are decided before anything else is made. Global: there is one environment and one time. */
@Global()
@Module({})
export class ConfigModule {
  static forRoot(settings: Settings, clock: Clock = systemClock): DynamicModule {
    return moduleOf({ provide: SETTINGS, useValue: settings }, clock);
  }

  static forRootAsync({ imports, inject, useFactory }: AsyncSettings, clock: Clock = systemClock): DynamicModule {
    return { ...moduleOf({ provide: SETTINGS, inject, useFactory }, clock), imports };
  }
}

function moduleOf(settings: Provider, clock: Clock): DynamicModule {
  return { module: ConfigModule, providers: [settings, { provide: CLOCK, useValue: clock }], exports: [SETTINGS, CLOCK] };
}
