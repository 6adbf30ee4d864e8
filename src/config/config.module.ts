import { Global, Module, type DynamicModule } from '@nestjs/common';
import { CLOCK, systemClock, type Clock } from '../clock';
import type { Settings } from './env';

/** Injection token of the validated `Settings`. */
export const SETTINGS = Symbol('Settings');

/** Hands the settings and the clock to everybody; both are decided before Nest starts. Global: there is one environment and one time. */
@Global()
@Module({})
export class ConfigModule {
  static forRoot(settings: Settings, clock: Clock = systemClock): DynamicModule {
    return {
      module: ConfigModule,
      providers: [
        { provide: SETTINGS, useValue: settings },
        { provide: CLOCK, useValue: clock },
      ],
      exports: [SETTINGS, CLOCK],
    };
  }
}
