export { faultOf } from './fault-of';
export { GivenBackError } from './given-back-error';
export { JobEngine } from './job-engine';
export {
  COUNTED_AT_MOST,
  type Waiting,
  type Claim,
  type ClaimedJob,
  type ClaimRequest,
  type JobKind,
  type JobOptions,
  type NextTry,
} from './job-kind';
export { LeaseLostError } from './lease-lost-error';
export { JobsModule } from './jobs.module';
export type { JobWorker } from './job-worker';
export { nextTry } from './next-try';
export { PeriodicTasks } from './periodic-tasks';
export { OF_ENDED_PROCESS, ProcessPresence } from './process-presence';
export { WakeUp } from './wake-up/wake-up';
