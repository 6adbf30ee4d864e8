import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { z } from 'zod';
import {
  Answer,
  pageOf,
  CurrentUser,
  cursor,
  IdParam,
  limit,
  paged,
  Roles,
  visibleTenant,
  ZodBody,
  ZodQuery,
  type Principal,
  SupportMayRead,
  byId,
  pageFrom,
  positionOf,
} from '../../../http-api';
import { ConnectionRepository } from '../../connections';
import { EVENT_STATUSES } from '../webhook-event.entity';
import { WebhookEventList, type EventFilter } from './webhook-event.list';
import { WebhookReplay, type ReplayActor } from './webhook-replay';
import { FailedEvents } from './failed-events';
import { eventAnswer, eventDetailAnswer, failedGroupAnswer, queueAnswer, replayAnswer } from './event-answers';

const text = z.string().min(1).max(512);
const fields = {
  provider: text.optional(),
  type: text.optional(),
  status: z.enum(EVENT_STATUSES).optional(),
  eventId: text.optional(),
  connectionId: z.guid().optional(),
  receivedFrom: z.iso.datetime({ offset: true }).optional(),
  receivedTo: z.iso.datetime({ offset: true }).optional(),
  userId: text.optional(),
  account: text.optional(),
  error: text.optional(),
};
const groupsQuery = z.strictObject({ limit });
const listQuery = z.strictObject({ ...fields, limit, cursor });
const replayBody = z.strictObject({
  filter: z.strictObject(fields).refine((filter) => Object.keys(filter).length > 0, 'name at least one field, e.g. {"status": "dead"}'),
  dryRun: z.boolean().default(false),
});

type AskedFilter = z.infer<typeof replayBody>['filter'];

/** The inbox for administrators: what came, what became of it, and again. */
@Controller('v1/admin')
@SupportMayRead()
@Roles('admin')
export class AdminWebhooksController {
  constructor(
    private readonly events: WebhookEventList,
    private readonly failed: FailedEvents,
    private readonly replay: WebhookReplay,
    private readonly connections: ConnectionRepository,
  ) {}

  @Answer(pageOf(eventAnswer))
  @Get('webhook-events')
  async list(@CurrentUser() caller: Principal, @ZodQuery(listQuery) query: z.infer<typeof listQuery>) {
    const { limit: most, cursor: text, ...asked } = query;
    const tenant = visibleTenant(caller);
    const filter = await this.resolved(asked, tenant);
    const found = await this.events.list({ ...filter, tenant }, most + 1, positionOf(text, byId));
    return pageFrom(found, most, ({ id }) => ({ id }));
  }

  /** What fails in handlers, by kind and error, the largest groups first. */
  @Answer(pageOf(failedGroupAnswer))
  @Get('webhook-events/failures')
  async failures(@CurrentUser() caller: Principal, @ZodQuery(groupsQuery) query: z.infer<typeof groupsQuery>) {
    return paged(await this.failed.groups(visibleTenant(caller), query.limit));
  }

  @Answer(eventDetailAnswer)
  @Get('webhook-events/:id')
  one(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string) {
    return this.events.find(id, visibleTenant(caller));
  }

  @Answer(replayAnswer)
  @Post('webhook-events/replay')
  @HttpCode(200)
  async replayMany(@CurrentUser() caller: Principal, @ZodBody(replayBody) { filter, dryRun }: z.infer<typeof replayBody>) {
    return this.replay.many(await this.resolved(filter, visibleTenant(caller)), actorOf(caller), dryRun);
  }

  @Answer(eventAnswer)
  @Post('webhook-events/:id/replay')
  @HttpCode(200)
  replayOne(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string) {
    return this.replay.one(id, actorOf(caller));
  }

  @Answer(queueAnswer)
  @Get('queue')
  queue(@CurrentUser() caller: Principal) {
    return this.events.queue(visibleTenant(caller));
  }

  private async resolved({ userId, account, ...filter }: AskedFilter, tenant: string | undefined): Promise<EventFilter> {
    return { ...filter, connectionIds: await this.connections.idsOf(tenant, { userId, account }) };
  }
}

function actorOf(caller: Principal): ReplayActor {
  return { tenant: visibleTenant(caller), name: `${caller.tenant}/${caller.userId}` };
}
