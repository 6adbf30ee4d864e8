import { Controller, Get, Param, Post, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  Answer,
  OpenToBrowserTokens,
  pageOf,
  type Principal,
  CurrentUser,
  cursor,
  IdParam,
  limit,
  type Paged,
  ZodBody,
  ZodQuery,
} from '../../http-api';
import { IntegrationError } from '../../errors';
import { ConnectionRepository, type Connection } from '../connections';
import { ProviderRegistry } from '../providers';
import { RecordFeed, type FeedItem } from './feed/record-feed';
import { MappedFeed, type MappedItems } from './mappings/mapped-feed';
import { RecordShapes } from './records/record-shapes';
import { pageOfRuns } from './runs/run-pages';
import { SyncService } from './runs/sync.service';
import { viewOf, type SyncRunView } from './runs/sync-run';
import { feedAnswer, recordAnswer, runAnswer } from './sync-answers';

const start = z.strictObject({
  type: z.enum(['full', 'incremental']),
  resources: z.array(z.string().min(1).max(100)).min(1).max(50).optional(),
});
const runList = z.strictObject({ limit, cursor });
const raw = z.enum(['true', 'false']).default('false').describe('`true`: as the provider gave it, whatever mapping is set.');
const recordList = z.strictObject({ limit, cursor, since: z.iso.datetime({ offset: true }).optional(), raw });
const recordQuery = z.strictObject({ partition: z.string().max(500).optional(), raw });

@ApiTags('sync')
@Controller('v1/connections/:id')
export class SyncController {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly registry: ProviderRegistry,
    private readonly service: SyncService,
    private readonly feed: RecordFeed,
    private readonly mapped: MappedFeed,
    private readonly shapes: RecordShapes,
  ) {}

  /** 202 with the new run; 200 with the one that is under way already. */
  @Answer(runAnswer, { status: 202, description: 'A new run' })
  @Answer(runAnswer, { description: 'The run that is under way already' })
  @OpenToBrowserTokens()
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
  @OpenToBrowserTokens()
  @Get('syncs')
  async runs(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @ZodQuery(runList) query: z.infer<typeof runList>,
  ): Promise<Paged<SyncRunView>> {
    await this.connections.findFor(caller, id);
    return pageOfRuns(this.service, { connectionId: id }, query);
  }

  @Answer(runAnswer)
  @OpenToBrowserTokens()
  @Get('syncs/:runId')
  async run(@CurrentUser() caller: Principal, @IdParam() id: string, @IdParam('runId', 'not_found') runId: string): Promise<SyncRunView> {
    await this.connections.findFor(caller, id);
    const run = await this.service.find(id, runId);
    if (!run) throw new IntegrationError('not_found', { detail: 'There is no such run of this connection.' });
    return viewOf(run);
  }

  /** The change feed: from the start, or what changed since `cursor`. `nextCursor` is always there; ask with it again later. */
  @Answer(feedAnswer)
  @Get('records/:resource')
  async records(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @Param('resource') resource: string,
    @ZodQuery(recordList) query: z.infer<typeof recordList>,
  ): Promise<z.infer<typeof feedAnswer>> {
    const connection = await this.resourceOf(caller, id, resource);
    const { cursor: from, limit: most, since } = query;
    const page = await this.feed.read({
      connectionId: id,
      resource,
      cursor: from,
      limit: most,
      ...(since !== undefined && { since: new Date(since) }),
    });
    const { items, mapping } = await this.shown(connection, resource, page.data, query.raw);
    return { data: [...items], ...(mapping && { mapping }), nextCursor: page.nextCursor, hasMore: page.hasMore };
  }

  /** One record. Where several partitions have one of this id, `partition` says which. */
  @Answer(recordAnswer)
  @Get('records/:resource/:recordId')
  async record(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @Param('resource') resource: string,
    @Param('recordId') recordId: string,
    @ZodQuery(recordQuery) query: z.infer<typeof recordQuery>,
  ): Promise<z.infer<typeof recordAnswer>> {
    const connection = await this.resourceOf(caller, id, resource);
    const [found, another] = await this.feed.one(id, resource, recordId, query.partition);
    if (!found) throw new IntegrationError('not_found', { detail: `There is no such record in ${resource}.` });
    if (another)
      throw new IntegrationError('invalid_request', { detail: 'Several partitions have a record of this id; say which with `partition`.' });
    const { items, mapping } = await this.shown(connection, resource, [found], query.raw);
    return { ...(items[0] as FeedItem), ...(mapping && { mapping }) };
  }

  /** Of a resource that this connection has, or had. */
  private async resourceOf(caller: Principal, id: string, resource: string): Promise<Connection> {
    const connection = await this.connections.findFor(caller, id);
    const known = this.shapes.of(connection.provider).map(({ name }) => name);
    if (known.includes(resource) || (await this.feed.has(id, resource))) return connection;
    throw new IntegrationError('not_found', {
      detail: `There is no resource "${resource.slice(0, 100)}".`,
      nextStep: `Known here: ${known.join(', ')}.`,
    });
  }

  private async shown(
    connection: Connection,
    resource: string,
    items: readonly FeedItem[],
    asGiven: 'true' | 'false',
  ): Promise<MappedItems> {
    const told = this.shapes.tell(connection.provider, resource, items);
    return asGiven === 'true' ? { items: told } : this.mapped.map(connection, resource, told);
  }

  private resourcesOf(provider: string): string[] {
    return this.registry.find(provider)?.sync?.resources.map(({ name }) => name) ?? [];
  }
}
