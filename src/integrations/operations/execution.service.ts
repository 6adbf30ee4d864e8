import { createHash } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { IntegrationError } from '../../errors';
import { ProviderRegistry } from '../providers';
import { EXECUTION_DEFAULTS, type ExecutionRequest, type OperationResult } from './execution';
import { endingOf, knownFailure, replayedFailure, storedFailure } from './execution-outcome';
import { ExecutionReconciler } from './execution-reconciler';
import { ExecutionRepository, type Claim, type StoredExecution } from './execution.repository';

/** Keeps what may have happened at most this often from being asked: the row may change between two looks. */
const MOST_LOOKS = 5;

/** Executions at providers: each stored before its first try, and none carried out twice because a request was. */
@Injectable()
export class ExecutionService {
  private readonly logger = new Logger('operations');

  constructor(
    private readonly executions: ExecutionRepository,
    private readonly registry: ProviderRegistry,
    private readonly reconciler: ExecutionReconciler,
  ) {}

  /**
   * @throws IntegrationError `idempotency_key_reused`, `idempotency_key_in_use`, `outcome_unknown`; or the execution's own failure
   */
  async run(request: ExecutionRequest): Promise<OperationResult> {
    const { caller, connection, idempotencyKey: key } = request;
    if (key !== undefined && !/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw new IntegrationError('invalid_request', { detail: 'Idempotency-Key must be 1 to 255 visible ASCII characters.' });
    }
    const requestHash = hashOf([request.route, connection.id, request.body]);
    const execution = { tenant: caller.tenant, userId: caller.userId, key, route: request.route, requestHash, connectionId: connection.id };
    for (let look = 0; look < MOST_LOOKS; look++) {
      const claim = await this.executions.begin(execution, EXECUTION_DEFAULTS);
      if (claim) return this.attempt(request, claim);
      const stored = await this.executions.find(caller.tenant, caller.userId, key!);
      if (!stored) continue;
      if (stored.expired) {
        await this.executions.deleteExpired(stored.id);
        continue;
      }
      if (stored.requestHash !== requestHash) throw new IntegrationError('idempotency_key_reused');
      if (stored.status === 'done') return this.replay(stored);
      if (stored.status === 'running' && stored.leased) throw inUse();
      if (!this.isRepeatable(request)) {
        await this.executions.markUnknown(stored.id, 'outcome_unknown');
        const found = await this.reconciler.settle(stored);
        if (found) return { ...found, replayed: true };
        throw new IntegrationError('outcome_unknown');
      }
      const again = await this.executions.takeOver(stored, EXECUTION_DEFAULTS);
      if (again) return this.attempt(request, again);
    }
    throw inUse();
  }

  private async attempt(request: ExecutionRequest, claim: Claim): Promise<OperationResult> {
    let answer;
    try {
      answer = await request.execute({ operationId: claim.operationId, providerKey: claim.operationId });
    } catch (cause) {
      throw await this.failed(request, claim, knownFailure(cause));
    }
    await this.stored(() => this.executions.finish(claim, answer.status, { body: answer.body }));
    return { ...answer, replayed: false };
  }

  private async failed(request: ExecutionRequest, claim: Claim, error: IntegrationError): Promise<IntegrationError> {
    switch (endingOf(error)) {
      case 'free':
        await this.stored(() => this.executions.free(claim, error.code));
        return error;
      case 'answer':
        await this.stored(() => this.executions.finish(claim, error.status, storedFailure(error), error.code));
        return error;
      case 'unknown':
        await this.stored(() => this.executions.markUnknown(claim.id, error.code, claim.leaseUntil));
        // The same request can safely be asked again: its own failure says so.
        if (request.idempotent || (this.isRepeatable(request) && request.idempotencyKey !== undefined)) return error;
        return new IntegrationError('outcome_unknown', {
          provider: request.connection.provider,
          providerRequestId: error.providerRequestId,
          cause: error,
        });
    }
  }

  private replay(stored: StoredExecution): OperationResult {
    const answer = this.executions.read(stored);
    if ('failure' in answer) throw replayedFailure(answer.failure);
    return { status: stored.responseStatus ?? 200, body: answer.body, replayed: true };
  }

  /** The execution has ended whatever the store does now: its answer goes out, and an outcome that is not stored reads as unknown. */
  private async stored(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.logger.error(`The outcome of an execution could not be stored: ${knownFailure(error).code}.`);
    }
  }

  private isRepeatable({ repeatable, idempotent, connection }: ExecutionRequest): boolean {
    if (idempotent) return true;
    return repeatable ?? this.registry.get(connection.provider).http.retry?.idempotencyHeader !== undefined;
  }
}

function inUse(): IntegrationError {
  return new IntegrationError('idempotency_key_in_use', { retryAfterMs: 1_000 });
}

/** The same for the same content, in whatever order its fields came. */
function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sorted)).digest('base64url');
}

function sorted(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
