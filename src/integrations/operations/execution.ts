import type { Principal } from '../../http-api';

/** What an execution does at the provider, and how it answers. */
export interface ExecutionRequest {
  readonly caller: Principal;
  /** On which connection. Without an id: as an app itself, which `route` and `body` tell from others. */
  readonly connection: { readonly provider: string; readonly id?: string };
  /** Name of what is done, e.g. `acme.messages.send`: a key belongs to one. */
  readonly route: string;
  /** The validated body. */
  readonly body: unknown;
  /** As the caller sent it; without one the execution is recorded, but a repetition is another execution. */
  readonly idempotencyKey?: string;
  /**
   * May the call be sent again with the same `providerKey` after a doubtful end? Default: where the provider honours idempotency keys
   * (`RetryFacts.idempotencyHeader`); then `execute` must send it.
   */
  readonly repeatable?: boolean;
  /** Done twice it is the same: a doubtful end is told by its own failure, since the caller may simply ask again. */
  readonly idempotent?: boolean;
  execute(attempt: Attempt): Promise<ExecutionAnswer>;
}

/** One execution, however often it is tried. Stored before the first try. */
export interface Attempt {
  readonly operationId: string;
  /** For the provider's idempotency header: the same at every try. */
  readonly providerKey: string;
}

export interface ExecutionAnswer {
  readonly status: number;
  /** JSON. */
  readonly body: unknown;
}

export interface OperationResult extends ExecutionAnswer {
  /** The stored answer of an earlier request: tell it with `Idempotent-Replayed: true`. */
  readonly replayed: boolean;
}

export interface ExecutionTimes {
  /** How long a running execution keeps its key before it counts as crashed, s. Longer than any execution may take. Default 120. */
  readonly leaseSeconds: number;
  /** How long an answer is kept, s. Default 24 h. */
  readonly keepSeconds: number;
}

export const EXECUTION_DEFAULTS: ExecutionTimes = { leaseSeconds: 120, keepSeconds: 24 * 60 * 60 };
