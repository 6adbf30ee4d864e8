import { Controller, Get, Param, Post, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Answer, pageOf, type Principal, CurrentUser, cursor, IdParam, limit, type Paged, ZodBody, ZodQuery } from '../../http-api';
import { IntegrationError } from '../../errors';
import { ConnectionRepository } from '../connections';
import { ProviderRegistry } from '../providers';
import { RecordFeed, type FeedPage } from './feed/record-feed';
import { pageOfRuns } from './runs/run-pages';
import { SyncService } from './runs/sync.service';
import { viewOf, type SyncRunView } from './runs/sync-run';
import { feedAnswer, runAnswer } from './sync-answers';

const start = z.strictObject({
  type: z.enum(['full', 'incremental']),
  resources: z.array(z.string().min(1).max(100)).min(1).max(50).optional(),
});
const runList = z.strictObject({ limit, cursor });
const recordList = z.strictObject({ limit, cursor, since: z.iso.datetime({ offset: true }).optional() });

@ApiTags('sync')
@Controller('v1/connections/:id')
export class SyncController {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly registry: ProviderRegistry,
    private readonly service: SyncService,
    private readonly feed: RecordFeed,
  ) {}

  /** 202 with the new run; 200 with the one that is under way already. */
  @Answer(runAnswer, { status: 202, description: 'A new run' })
  @Answer(runAnswer, { description: 'The run that is under way already' })
  @Post('syncs')
  async start(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @ZodBody(start) body: z.infer<typeof start>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SyncRunView> {
    const connection = await this.connections.findFor(caller, id);
    if (connection.status !== 'connected')
      throw new IntegrationError(connection.status === 'needs_reauth' ? 'needs_reauth' : 'not_connected');
    const known = this.resourcesOf(connection.provider);
    if (known.length === 0) throw new IntegrationError('not_supported');
    const unknown = body.resources?.find((name) => !known.includes(name));
    if (unknown !== undefined)
      throw new IntegrationError('invalid_request', { detail: `resources: "${unknown}" is none of ${known.join(', ')}.` });
    const { run, created } = await this.service.request(id, { ...body, trigger: 'manual' });
    reply.status(created ? 202 : 200);
    return viewOf(run);
  }

  @Answer(pageOf(runAnswer))
  @Get('syncs')
  async runs(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @ZodQuery(runList) query: z.infer<typeof runList>,
  ): Promise<Paged<SyncRunView>> {
    await this.connections.findFor(caller, id);
    return pageOfRuns(this.service, { connectionId: id }, query);
  }

  /** The change feed: from the start, or what changed since `cursor`. `nextCursor` is always there; ask with it again later. */
  @Answer(feedAnswer)
  @Get('records/:resource')
  async records(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @Param('resource') resource: string,
    @ZodQuery(recordList) query: z.infer<typeof recordList>,
  ): Promise<FeedPage> {
    const connection = await this.connections.findFor(caller, id);
    const known = [...this.resourcesOf(connection.provider), ...(this.registry.find(connection.provider)?.sync?.eventOnly ?? [])];
    if (!known.includes(resource) && !(await this.feed.has(id, resource))) {
      throw new IntegrationError('not_found', {
        detail: `There is no resource "${resource.slice(0, 100)}".`,
        nextStep: `Known here: ${known.join(', ')}.`,
      });
    }
    const { cursor: from, limit: most, since } = query;
    return this.feed.read({
      connectionId: id,
      resource,
      cursor: from,
      limit: most,
      ...(since !== undefined && { since: new Date(since) }),
    });
  }

  private resourcesOf(provider: string): string[] {
    return this.registry.find(provider)?.sync?.resources.map(({ name }) => name) ?? [];
  }
}
