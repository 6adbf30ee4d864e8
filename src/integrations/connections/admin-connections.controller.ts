import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  Answer,
  cursor,
  CurrentUser,
  limit,
  moment,
  pageOf,
  Roles,
  ZodQuery,
  type Paged,
  type Principal,
  byId,
  pageFrom,
  positionOf,
} from '../../http-api';
import { connectionAnswer } from './connection-answers';
import type { ConnectionWithSync } from './connection';
import { ConnectionRepository } from './connection.repository';
import { ConnectionViews, type ConnectionView } from './connection-views';

const text = z.string().min(1).max(255).optional();
const query = z.strictObject({
  tenant: text,
  provider: text,
  status: z.enum(['connected', 'needs_reauth', 'disconnected']).optional(),
  userId: text,
  account: text,
  owner: z.enum(['user', 'organization']).optional(),
  limit,
  cursor,
});
const answer = connectionAnswer.extend({ tenant: z.string(), disconnectedAt: moment.nullable() });

interface AdminConnectionView extends ConnectionView {
  readonly tenant: string;
  readonly disconnectedAt: string | null;
}

/** The connections of an organization, or of all for an operator: whose they are, and how they are. */
@ApiTags('admin')
@Controller('v1/admin')
export class AdminConnectionsController {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly views: ConnectionViews,
  ) {}

  @Roles('admin')
  @Answer(pageOf(answer))
  @Get('connections')
  async list(@CurrentUser() caller: Principal, @ZodQuery(query) asked: z.infer<typeof query>): Promise<Paged<AdminConnectionView>> {
    const after = positionOf(asked.cursor, byId)?.id;
    const found = await this.connections.list(caller, { ...asked, limit: asked.limit + 1, after });
    const views = found.map((each) => this.viewOf(caller, each));
    return pageFrom(views, asked.limit, ({ id }) => ({ id }));
  }

  private viewOf(caller: Principal, connection: ConnectionWithSync): AdminConnectionView {
    const { tenant, disconnectedAt } = connection;
    return { ...this.views.of(caller, connection), tenant, disconnectedAt: disconnectedAt?.toISOString() ?? null };
  }
}
