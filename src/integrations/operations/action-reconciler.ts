import { Inject, Injectable, Logger } from '@nestjs/common';
import { CLOCK, type Clock } from '../../clock';
import { withDeadline } from '../../deadline';
import { ConnectionRepository, toRef } from '../connections';
import type { ConnectionRef } from '../contract';
import type { ActionAnswer } from './action';
import { knownFailure } from './action-outcome';
import { ActionRepository, type FindableAction } from './action.repository';

/**
 * Looks at the provider whether an operation was carried out there; its answer where it was. Undefined says nothing: what is not found now may
 * only not be found yet.
 */
export type Reconcile = (connection: ConnectionRef, operationId: string, signal: AbortSignal) => Promise<ActionAnswer | undefined>;

const LOOK_TIMEOUT_MS = 15_000;

/** Settles actions of unknown outcome where the provider can be asked for them. It never carries one out. */
@Injectable()
export class ActionReconciler {
  private readonly logger = new Logger('actions');
  private readonly ways = new Map<string, Reconcile>();

  constructor(
    private readonly actions: ActionRepository,
    private readonly connections: ConnectionRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** How actions of this route (`ActionRequest.route`) are looked for. */
  register(route: string, reconcile: Reconcile): void {
    this.ways.set(route, reconcile);
  }

  /** Routes whose actions can be looked for. */
  get routes(): readonly string[] {
    return [...this.ways.keys()];
  }

  /**
   * @returns the answer, stored from now on, where the provider has the operation
   * @throws IntegrationError where the provider could not be asked
   */
  async look(action: FindableAction, stop?: AbortSignal): Promise<ActionAnswer | undefined> {
    const reconcile = this.ways.get(action.route);
    if (!reconcile || action.connectionId === null) return undefined;
    const connection = await this.connections.findById(action.connectionId);
    if (connection?.status !== 'connected') return undefined;
    const ask = (signal: AbortSignal) => reconcile(toRef(connection), action.operationId, signal);
    const answer = await withDeadline(this.clock, LOOK_TIMEOUT_MS, ask, { stop });
    if (answer) await this.actions.settle(action, answer.status, { body: answer.body });
    return answer;
  }

  /** The same for whoever asks for the action: a look that fails leaves its outcome as unknown as before. */
  async settle(action: FindableAction): Promise<ActionAnswer | undefined> {
    try {
      return await this.look(action);
    } catch (error) {
      this.logger.warn(`The outcome of an action (${action.route}) could not be looked up: ${knownFailure(error).code}.`);
      return undefined;
    }
  }
}
