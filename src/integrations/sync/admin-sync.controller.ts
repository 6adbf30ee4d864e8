import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  Answer,
  pageOf,
  type Principal,
  CurrentUser,
  cursor,
  IdParam,
  limit,
  type Paged,
  Roles,
  visibleTenant,
  ZodQuery,
  SupportMayRead,
} from '../../http-api';
import { ConnectionRepository } from '../connections';
import { pageOfRuns } from './runs/run-pages';
import { SyncService } from './runs/sync.service';
import { viewOf, type SyncRunView } from './runs/sync-run';
import { runAnswer } from './sync-answers';

const runList = z.strictObject({
  limit,
  cursor,
  connection: z.guid().optional(),
  provider: z.string().min(1).max(32).optional(),
  status: z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled', 'paused']).optional(),
  type: z.enum(['full', 'incremental']).optional(),
  trigger: z.enum(['schedule', 'manual', 'webhook', 'connect']).optional(),
  userId: z.string().min(1).max(255).optional(),
  account: z.string().min(1).max(255).optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
});

@ApiTags('admin')
@SupportMayRead()
@Roles('admin')
@Controller('v1/admin/sync-runs')
export class AdminSyncController {
  constructor(
    private readonly service: SyncService,
    private readonly connections: ConnectionRepository,
  ) {}

  @Answer(pageOf(runAnswer))
  @Get()
  async list(@CurrentUser() caller: Principal, @ZodQuery(runList) query: z.infer<typeof runList>): Promise<Paged<SyncRunView>> {
    const { connection, userId, account, ...rest } = query;
    const tenant = visibleTenant(caller);
    const connectionIds = await this.connections.idsOf(tenant, { userId, account });
    return pageOfRuns(this.service, { ...rest, tenant, connectionId: connection, connectionIds }, query);
  }

  /** Lets a run that failed with `confirmation_required` remove what it found missing. */
  @Answer(runAnswer, { status: 202 })
  @Post(':id/confirm')
  @HttpCode(202)
  async confirm(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string): Promise<SyncRunView> {
    return viewOf(await this.service.confirm(id, visibleTenant(caller)));
  }
}
