import { Inject, Injectable, Logger } from '@nestjs/common';
import { CLOCK, type Clock } from '../../clock';
import { withDeadline } from '../../deadline';
import { ConnectionRepository, toRef } from '../connections';
import type { ConnectionRef } from '../contract';
import type { ActionAnswer } from './action';
import { knownFailure } from './action-outcome';
import { ActionRepository, type UnknownAction } from './action.repository';

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

  /** @returns the answer, stored from now on, where the provider has the operation */
  async settle(action: UnknownAction): Promise<ActionAnswer | undefined> {
    const reconcile = this.ways.get(action.route);
    if (!reconcile) return undefined;
    try {
      const connection = await this.connections.findById(action.connectionId);
      if (connection?.status !== 'connected') return undefined;
      const answer = await withDeadline(this.clock, LOOK_TIMEOUT_MS, (signal) => reconcile(toRef(connection), action.operationId, signal));
      if (answer) await this.actions.settle(action, answer.status, { body: answer.body });
      return answer;
    } catch (error) {
      // The outcome is as unknown as before; somebody asks again, or the sweep does.
      this.logger.warn(`The outcome of an action (${action.route}) could not be looked up: ${knownFailure(error).code}.`);
      return undefined;
    }
  }

  /** A few at a time, each at growing distance from the last look. @returns how many were settled */
  async sweep(): Promise<number> {
    if (this.ways.size === 0) return 0;
    let settled = 0;
    for (const action of await this.actions.unknownOf([...this.ways.keys()])) if (await this.settle(action)) settled++;
    return settled;
  }
}
