import { Global, Module } from '@nestjs/common';
import { JobEngine } from './job-engine';
import { PeriodicTasks } from './periodic-tasks';
import { ProcessPresence } from './process-presence';
import { WakeUpModule } from './wake-up/wake-up.module';

/** The job engine: leases, back-off, dead letters, the worker loop, and the wake-up between processes. Global: every kind of job starts here. */
@Global()
@Module({
  imports: [WakeUpModule],
  providers: [JobEngine, PeriodicTasks, ProcessPresence],
  exports: [JobEngine, PeriodicTasks, WakeUpModule],
})
export class JobsModule {}
