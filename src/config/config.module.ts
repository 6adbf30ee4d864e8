import { Global, Module, type DynamicModule, type FactoryProvider, type ModuleMetadata, type Provider } from '@nestjs/common';
import { CLOCK, systemClock, type Clock } from '../clock';
import { putBelow } from './bound-address';
import type { Settings } from './env';

/** Injection token of the validated `Settings`. */
export const SETTINGS = Symbol('Settings');

/** How settings are made of what other injectables give. */
export interface AsyncSettings extends Pick<ModuleMetadata, 'imports'>, Pick<FactoryProvider<Settings>, 'inject' | 'useFactory'> {}

/** Hands the settings and the clock to everybody; both are decided before anything else is made. Global: there is one environment and one time. */
@Global()
@Module({})
export class ConfigModule {
  /** @param prefix the path below which all addresses lie, where somebody else than PUBLIC_URL says it */
  static forRoot(settings: Settings, clock: Clock = systemClock, prefix?: string): DynamicModule {
    return moduleOf({ provide: SETTINGS, useValue: prefix === undefined ? settings : putBelow(settings, prefix) }, clock);
  }

  /** @param prefix is known before the settings are: routes are laid without them. Default: none */
  static forRootAsync({ imports, inject, useFactory }: AsyncSettings, clock: Clock = systemClock, prefix = ''): DynamicModule {
    const made = async (...injected: unknown[]) => putBelow((await useFactory(...injected)) as Settings, prefix);
    return { ...moduleOf({ provide: SETTINGS, inject, useFactory: made }, clock), imports };
  }
}

function moduleOf(settings: Provider, clock: Clock): DynamicModule {
  return { module: ConfigModule, providers: [settings, { provide: CLOCK, useValue: clock }], exports: [SETTINGS, CLOCK] };
}
