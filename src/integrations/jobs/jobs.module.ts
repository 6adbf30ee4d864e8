import { Global, Module, type DynamicModule } from '@nestjs/common';
import type { Settings } from '../../config/env';
import { JobEngine } from './job-engine';
import { PeriodicTasks } from './periodic-tasks';
import { WakeUpModule } from './wake-up/wake-up.module';

/** The job engine: leases, back-off, dead letters, the worker loop, and the wake-up between processes. Global: every kind of job starts here. */
@Global()
@Module({})
export class JobsModule {
  static forRoot(settings: Pick<Settings, 'redisUrl'>): DynamicModule {
    return {
      module: JobsModule,
      imports: [WakeUpModule.forRoot(settings)],
      providers: [JobEngine, PeriodicTasks],
      exports: [JobEngine, PeriodicTasks, WakeUpModule],
    };
  }
}
