import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { v7 as uuid } from 'uuid';
import { IntegrationError } from '../../errors';
import { ZodPipe, type Principal } from '../../http-api';
import { AuditLog } from '../audit';
import { assertUsable, ConnectionRepository, isOwn, toRef, type Connection } from '../connections';
import { checkedAnswer } from './answer-check';
import type { OperationResult } from './execution';
import { ExecutionService } from './execution.service';
import { missingScopesOf } from '../providers';
import { fullNameOf, type Operation } from './operation';
import { OperationRegistry } from './operation-registry';

/** Who runs an operation, on which connection. */
export interface OperationRequest {
  readonly caller: Principal;
  readonly connectionId: string;
  /** As the caller sent it; of no meaning for a read. */
  readonly idempotencyKey?: string;
}

/** Runs operations: a read at once, all else stored before its first attempt and not carried out twice because a request was. */
@Injectable()
export class OperationService {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly registry: OperationRegistry,
    private readonly executions: ExecutionService,
    private readonly audit: AuditLog,
  ) {}

  /** By its name among the operations of the connection's provider. @throws IntegrationError `not_found`, `invalid_request`, and as `run` */
  async runNamed(name: string, input: unknown, request: OperationRequest): Promise<OperationResult> {
    const found = await this.connections.findFor(request.caller, request.connectionId);
    const operation = this.registry.get(found.provider, name);
    const valid = new ZodPipe(operation.input).transform(input);
    assertUsable(request.caller, found);
    return this.runFor(found, operation, valid, request);
  }

  /**
   * @param input as the operation's schema gave it
   * @throws IntegrationError `connection_not_found`, `needs_reauth`, `missing_scope`; `outcome_unknown`; or the operation's own failure
   */
  async run<I extends z.ZodType, O extends z.ZodType>(
    operation: Operation<I, O>,
    input: z.output<I>,
    request: OperationRequest,
  ): Promise<OperationResult> {
    const found = await this.connections.findUsable(request.caller, operation.provider, request.connectionId);
    return this.runFor(found, operation, input, request);
  }

  private async runFor<I extends z.ZodType, O extends z.ZodType>(
    found: Connection,
    operation: Operation<I, O>,
    input: z.output<I>,
    request: OperationRequest,
  ): Promise<OperationResult> {
    const work = () => this.runOn(found, operation, input, request);
    if (operation.effect === 'read' && isOwn(request.caller, found)) return work();
    const act = { action: 'operation.run' as const, tenant: found.tenant, target: `${fullNameOf(operation)} connection:${found.id}` };
    return this.audit.around(act, work);
  }

  private async runOn<I extends z.ZodType, O extends z.ZodType>(
    found: Connection,
    operation: Operation<I, O>,
    input: z.output<I>,
    { caller, idempotencyKey }: OperationRequest,
  ): Promise<OperationResult> {
    assertScopes(operation as unknown as Operation, found);
    const connection = toRef(found);
    if (operation.effect === 'read') {
      const operationId = uuid();
      const body = checkedAnswer(operation, await operation.run({ connection, input, operationId, providerKey: operationId }));
      return { status: 200, body, replayed: false };
    }
    return this.executions.run({
      caller,
      connection,
      route: fullNameOf(operation),
      body: input,
      idempotencyKey,
      repeatable: operation.repeat === 'provider-key',
      idempotent: operation.idempotent,
      execute: async (attempt) => ({
        status: operation.makes ? 201 : 200,
        body: checkedAnswer(operation, await operation.run({ connection, input, ...attempt })),
      }),
    });
  }
}

/** What is known to be missing is said before anything is sent; a key's rights are the provider's to know. */
function assertScopes(operation: Operation, connection: Connection): void {
  const missingScopes = missingScopesOf(operation, connection);
  if (missingScopes.length > 0)
    throw new IntegrationError('missing_scope', { provider: connection.provider, notExecuted: true, extra: { missingScopes } });
}
