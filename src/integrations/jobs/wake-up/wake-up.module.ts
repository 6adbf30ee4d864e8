import { Module, type DynamicModule } from '@nestjs/common';
import type { Settings } from '../../../config/env';
import { WakeUp } from './wake-up';
import { InProcessWakeUp } from './in-process.wake-up';
import { WakeUpSweeper } from './wake-up.sweeper';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- Bull and its client only where there is a Redis
const redisParts = () => require('./bull-wake-up.parts') as typeof import('./bull-wake-up.parts');

/** The wake-up: in this process, and between processes where there is a Redis. The sweeper's clockwork is the application's `ScheduleModule`. */
@Module({})
export class WakeUpModule {
  static forRoot({ redisUrl }: Pick<Settings, 'redisUrl'>): DynamicModule {
    const common = { module: WakeUpModule, exports: [WakeUp] };
    if (redisUrl === undefined) {
      return {
        ...common,
        providers: [InProcessWakeUp, { provide: WakeUp, useExisting: InProcessWakeUp }, WakeUpSweeper],
      };
    }
    const { imports, providers } = redisParts().redisWakeUp(redisUrl);
    return { ...common, imports, providers: [...providers, WakeUpSweeper] };
  }
}
