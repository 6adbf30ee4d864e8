import { Body, Controller, Get, Headers, Param, Post, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Answer, pageOf, CurrentUser, IdParam, paged, ZodQuery, type Paged, type Principal } from '../../http-api';
import { ConnectionRepository, TenantProviders } from '../connections';
import type { OperationResult } from './execution';
import { OperationReplyInterceptor } from './operation-reply.interceptor';
import { OperationRegistry } from './operation-registry';
import { operationOfConnection, operationView, type OperationView } from './operation-view';
import { OperationService } from './operation.service';
import { operationAnswer } from './operation-answer';

const catalogueQuery = z.strictObject({ provider: z.string().max(32).optional() });

/** What can be done with the providers, and a door to each of it. */
@ApiTags('operations')
@Controller('v1')
export class OperationsController {
  constructor(
    private readonly operations: OperationService,
    private readonly registry: OperationRegistry,
    private readonly providers: TenantProviders,
    private readonly connections: ConnectionRepository,
  ) {}

  @ApiOperation({ summary: 'The operations of all providers, or of one', operationId: 'listOperations' })
  @Answer(pageOf(operationAnswer))
  @Get('operations')
  async list(
    @CurrentUser() caller: Principal,
    @ZodQuery(catalogueQuery) { provider }: z.output<typeof catalogueQuery>,
  ): Promise<Paged<OperationView>> {
    if (provider !== undefined) this.providers.get(provider);
    const configured = new Set((await this.providers.seenBy(caller.tenant)).flatMap((each) => (each.configured ? [each.key] : [])));
    return paged(this.registry.all(provider).map((each) => operationView(each, configured.has(each.provider))));
  }

  @ApiOperation({ summary: 'The operations of a connection, and whether each can be run now', operationId: 'listConnectionOperations' })
  @Answer(pageOf(operationAnswer))
  @Get('connections/:id/operations')
  async ofConnection(@CurrentUser() caller: Principal, @IdParam() id: string): Promise<Paged<OperationView>> {
    const connection = await this.connections.findFor(caller, id);
    return paged(this.registry.all(connection.provider).map((each) => operationOfConnection(each, connection)));
  }

  @ApiOperation({ summary: 'Runs an operation; the body is its input', operationId: 'runOperation' })
  @Answer(z.unknown(), { description: 'Its output, as `GET /v1/operations` describes it; 201 where it made something new' })
  @Post('connections/:id/operations/:name')
  @UseInterceptors(OperationReplyInterceptor)
  async run(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @Param('name') name: string,
    @Body() input: unknown,
    @Headers('idempotency-key') idempotencyKey?: string,
  ): Promise<OperationResult> {
    return this.operations.runNamed(name, input, { caller, connectionId: id, idempotencyKey });
  }
}
