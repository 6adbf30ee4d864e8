import { Injectable } from '@nestjs/common';
import { IntegrationError } from '../../errors';
import { ScopeNeeds } from '../providers';
import { checkedAnswer } from './answer-check';
import { ExecutionReconciler } from './execution-reconciler';
import { fullNameOf, type Operation } from './operation';

/** What operations there are. Each provider's module registers its own while Nest builds it. */
@Injectable()
export class OperationRegistry {
  private readonly operations = new Map<string, Operation>();

  constructor(
    private readonly reconciler: ExecutionReconciler,
    private readonly scopeNeeds: ScopeNeeds,
  ) {}

  /** @throws Error for a name that is taken: a fault of the program, seen at start */
  register(operations: readonly Operation[]): void {
    for (const operation of operations) {
      const name = fullNameOf(operation);
      if (this.operations.has(name)) throw new Error(`The operation "${name}" is registered twice.`);
      this.operations.set(name, operation);
      this.scopeNeeds.add(operation.provider, operation);
      const { find } = operation;
      if (!find) continue;
      this.reconciler.register(name, async (connection, operationId, signal) => {
        const body: unknown = await find(connection, operationId, signal);
        return body === undefined ? undefined : { status: operation.makes ? 201 : 200, body: checkedAnswer(operation, body) };
      });
    }
  }

  /** @throws IntegrationError `not_found` */
  get(provider: string, name: string): Operation {
    const operation = this.operations.get(fullNameOf({ provider, name }));
    if (!operation) {
      throw new IntegrationError('not_found', {
        detail: 'This provider has no such operation.',
        nextStep: 'GET /v1/connections/:id/operations lists those that there are.',
      });
    }
    return operation;
  }

  /** By its name among all providers, e.g. `acme.messages.send`. */
  find(fullName: string): Operation | undefined {
    return this.operations.get(fullName);
  }

  /** In the order of their names. */
  all(provider?: string): Operation[] {
    return [...this.operations.values()]
      .filter((operation) => provider === undefined || operation.provider === provider)
      .sort((a, b) => (fullNameOf(a) < fullNameOf(b) ? -1 : 1));
  }
}
