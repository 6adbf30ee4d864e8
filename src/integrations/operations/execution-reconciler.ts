import { Inject, Injectable, Logger } from '@nestjs/common';
import { CLOCK, type Clock } from '../../clock';
import { withDeadline } from '../../deadline';
import { ConnectionRepository, toRef } from '../connections';
import type { ConnectionRef } from '../contract';
import type { ExecutionAnswer } from './execution';
import { knownFailure } from './execution-outcome';
import { ExecutionRepository, type FindableExecution } from './execution.repository';

/**
 * Looks at the provider whether an operation was carried out there; its answer where it was. Undefined says nothing: what is not found now may
 * only not be found yet.
 */
export type Reconcile = (connection: ConnectionRef, operationId: string, signal: AbortSignal) => Promise<ExecutionAnswer | undefined>;

const LOOK_TIMEOUT_MS = 15_000;

/** Settles executions of unknown outcome where the provider can be asked for them. It never carries one out. */
@Injectable()
export class ExecutionReconciler {
  private readonly logger = new Logger('operations');
  private readonly ways = new Map<string, Reconcile>();

  constructor(
    private readonly executions: ExecutionRepository,
    private readonly connections: ConnectionRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** How executions of this route (`ExecutionRequest.route`) are looked for. */
  register(route: string, reconcile: Reconcile): void {
    this.ways.set(route, reconcile);
  }

  /** Routes whose executions can be looked for. */
  get routes(): readonly string[] {
    return [...this.ways.keys()];
  }

  /**
   * @returns the answer, stored from now on, where the provider has the operation
   * @throws IntegrationError where the provider could not be asked
   */
  async look(execution: FindableExecution, stop?: AbortSignal): Promise<ExecutionAnswer | undefined> {
    const reconcile = this.ways.get(execution.route);
    if (!reconcile || execution.connectionId === null) return undefined;
    const connection = await this.connections.findById(execution.connectionId);
    if (connection?.status !== 'connected') return undefined;
    const ask = (signal: AbortSignal) => reconcile(toRef(connection), execution.operationId, signal);
    const answer = await withDeadline(this.clock, LOOK_TIMEOUT_MS, ask, { stop });
    if (answer) await this.executions.settle(execution, answer.status, { body: answer.body });
    return answer;
  }

  /** The same for whoever asks for the execution: a look that fails leaves its outcome as unknown as before. */
  async settle(execution: FindableExecution): Promise<ExecutionAnswer | undefined> {
    try {
      return await this.look(execution);
    } catch (error) {
      this.logger.warn(`The outcome of an execution (${execution.route}) could not be looked up: ${knownFailure(error).code}.`);
      return undefined;
    }
  }
}
