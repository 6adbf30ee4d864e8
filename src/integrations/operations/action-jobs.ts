import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { JobEngine, type Claim, type ClaimRequest, type JobKind } from '../jobs';
import { knownFailure } from './action-outcome';
import { ActionReconciler } from './action-reconciler';
import { ActionRepository, type UnknownAction } from './action.repository';

/** Actions of unknown outcome as jobs: each is looked for at the provider, at growing distance, until it is found or past its time. */
@Injectable()
export class ActionJobs implements JobKind<UnknownAction>, OnApplicationBootstrap {
  readonly topic = 'actions';
  // The pause until the next look is the lease that the claim takes: a minute at the least, of which a look takes a quarter.
  readonly options = { concurrency: 4, leaseSeconds: 60, backOff: { firstMs: 60_000, maxMs: 24 * 3_600_000 } };
  private readonly logger = new Logger('actions');

  constructor(
    private readonly actions: ActionRepository,
    private readonly reconciler: ActionReconciler,
    private readonly engine: JobEngine,
  ) {}

  onApplicationBootstrap(): void {
    this.engine.start(this);
  }

  /** Running actions whose process is gone: their outcome is not known. */
  async prepare(): Promise<void> {
    await this.actions.markAbandoned();
  }

  async claim({ room, leaseSeconds }: ClaimRequest<UnknownAction>): Promise<Claim<UnknownAction>> {
    const { routes } = this.reconciler;
    if (routes.length === 0) return { jobs: [], more: false };
    const jobs = await this.actions.unknownOf(routes, room, leaseSeconds);
    return { jobs, more: jobs.length === room };
  }

  async run(action: UnknownAction, signal: AbortSignal): Promise<void> {
    await this.reconciler.look(action, signal);
  }

  /** The outcome is as unknown as before, and the time of the next look stands already. */
  failed({ id: actionId, route }: UnknownAction, error: unknown): Promise<void> {
    this.logger.warn({ msg: 'The outcome of an action could not be looked up', actionId, route, code: knownFailure(error).code });
    return Promise.resolve();
  }

  release(action: UnknownAction): Promise<void> {
    return this.actions.lookAgain(action);
  }
}
