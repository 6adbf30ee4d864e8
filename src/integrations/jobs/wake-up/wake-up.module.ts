import { Module } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { CLOCK, type Clock } from '../../../clock';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { WakeUp } from './wake-up';
import { InProcessWakeUp } from './in-process.wake-up';
import { WakeUpSweeper } from './wake-up.sweeper';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- Bull and its client only where there is a Redis
const bull = () => require('./open-bull-wake-up') as typeof import('./open-bull-wake-up');

/** The wake-up: in this process, and between processes where there is a Redis. The sweeper's clockwork is the application's `ScheduleModule`. */
@Module({
  providers: [
    {
      provide: WakeUp,
      inject: [SETTINGS, CLOCK, LazyModuleLoader],
      useFactory: (settings: Settings, clock: Clock, modules: LazyModuleLoader): WakeUp | Promise<WakeUp> => {
        const local = new InProcessWakeUp(settings, clock);
        const { redisUrl } = settings;
        return redisUrl === undefined ? local : bull().openBullWakeUp(modules, { redisUrl, local, clock, settings });
      },
    },
    WakeUpSweeper,
  ],
  exports: [WakeUp],
})
export class WakeUpModule {}
