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
import { EventFilters, eventFields, replayFilter } from './event-filters';
import { WebhookEventList } from './webhook-event.list';
import { replayActorOf, WebhookReplay } from './webhook-replay';
import { EventSums } from './event-sums';
import { eventAnswer, eventDetailAnswer, failedGroupAnswer, queueAnswer, replayAnswer } from './event-answers';

const groupsQuery = z.strictObject({ limit });
const listQuery = z.strictObject({ ...eventFields, limit, cursor });
const replayBody = z.strictObject({ filter: replayFilter, dryRun: z.boolean().default(false) });

/** The inbox for administrators: what came, what became of it, and again. */
@Controller('v1/admin')
@SupportMayRead()
@Roles('admin')
export class AdminWebhooksController {
  constructor(
    private readonly events: WebhookEventList,
    private readonly sums: EventSums,
    private readonly replay: WebhookReplay,
    private readonly filters: EventFilters,
  ) {}

  @Answer(pageOf(eventAnswer))
  @Get('webhook-events')
  async list(@CurrentUser() caller: Principal, @ZodQuery(listQuery) query: z.infer<typeof listQuery>) {
    const { limit: most, cursor: text, ...asked } = query;
    const tenant = visibleTenant(caller);
    const filter = await this.filters.of(asked, tenant);
    const found = await this.events.list({ ...filter, tenant }, most + 1, positionOf(text, byId));
    return pageFrom(found, most, ({ id }) => ({ id }));
  }

  /** What fails in handlers, by kind and error, the largest groups first. */
  @Answer(pageOf(failedGroupAnswer))
  @Get('webhook-events/failures')
  async failures(@CurrentUser() caller: Principal, @ZodQuery(groupsQuery) query: z.infer<typeof groupsQuery>) {
    return paged(await this.sums.failedGroups(visibleTenant(caller), query.limit));
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
    return this.replay.many(await this.filters.of(filter, visibleTenant(caller)), replayActorOf(caller), dryRun);
  }

  @Answer(eventAnswer)
  @Post('webhook-events/:id/replay')
  @HttpCode(200)
  replayOne(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string) {
    return this.replay.one(id, replayActorOf(caller));
  }

  @Answer(queueAnswer)
  @Get('queue')
  queue(@CurrentUser() caller: Principal) {
    return this.sums.queue(visibleTenant(caller));
  }
}
