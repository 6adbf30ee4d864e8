import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { JobEngine, type Claim, type ClaimRequest, type JobKind, type Waiting } from '../jobs';
import { knownFailure } from './execution-outcome';
import { ExecutionReconciler } from './execution-reconciler';
import { ExecutionRepository, type UnknownExecution } from './execution.repository';

/** Executions of unknown outcome as jobs: each is looked for at the provider, at growing distance, until it is found or past its time. */
@Injectable()
export class ExecutionJobs implements JobKind<UnknownExecution>, OnApplicationBootstrap {
  readonly topic = 'actions';
  // The pause until the next look is the lease that the claim takes: a minute at the least, of which a look takes a quarter.
  readonly options = { concurrency: 4, leaseSeconds: 60, backOff: { firstMs: 60_000, maxMs: 24 * 3_600_000 } };
  private readonly logger = new Logger('operations');

  constructor(
    private readonly executions: ExecutionRepository,
    private readonly reconciler: ExecutionReconciler,
    private readonly engine: JobEngine,
  ) {}

  onApplicationBootstrap(): void {
    this.engine.start(this);
  }

  /** Running executions whose process is gone: their outcome is not known. */
  async prepare(): Promise<boolean> {
    return (await this.executions.markAbandoned()) > 0;
  }

  waiting(): Promise<Waiting> {
    return this.executions.waiting();
  }

  async claim({ room, leaseSeconds }: ClaimRequest<UnknownExecution>): Promise<Claim<UnknownExecution>> {
    const { routes } = this.reconciler;
    if (routes.length === 0) return { jobs: [], more: false };
    const jobs = await this.executions.unknownOf(routes, room, leaseSeconds);
    return { jobs, more: jobs.length === room };
  }

  async run(execution: UnknownExecution, signal: AbortSignal): Promise<void> {
    await this.reconciler.look(execution, signal);
  }

  /** The outcome is as unknown as before, and the time of the next look stands already. */
  failed({ id: executionId, route }: UnknownExecution, error: unknown): Promise<void> {
    this.logger.warn({ msg: 'The outcome of an execution could not be looked up', executionId, route, code: knownFailure(error).code });
    return Promise.resolve();
  }

  release(execution: UnknownExecution): Promise<void> {
    return this.executions.lookAgain(execution);
  }
}
