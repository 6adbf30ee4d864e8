import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { z } from 'zod';
import {
  Answer,
  byId,
  CurrentUser,
  cursor,
  IdParam,
  limit,
  pageFrom,
  pageOf,
  positionOf,
  Roles,
  SupportMayRead,
  visibleTenant,
  ZodBody,
  ZodQuery,
  type Principal,
} from '../../../http-api';
import { EventFilters, replayFilter } from './event-filters';
import { replayRunAnswer } from './event-answers';
import { ReplayRuns } from './replay-runs';
import { replayActorOf } from './webhook-replay';

const listQuery = z.strictObject({ limit, cursor });
const startBody = z.strictObject({ filter: replayFilter });

/** Replays of many events, as runs. */
@Controller('v1/admin/replays')
@SupportMayRead()
@Roles('admin')
export class AdminReplaysController {
  constructor(
    private readonly runs: ReplayRuns,
    private readonly filters: EventFilters,
  ) {}

  /** The run is stored when it answers; a worker goes on with it. */
  @Answer(replayRunAnswer, { status: 202, description: 'A new run' })
  @Post()
  @HttpCode(202)
  async start(@CurrentUser() caller: Principal, @ZodBody(startBody) { filter }: z.infer<typeof startBody>) {
    return this.runs.start(await this.filters.of(filter, visibleTenant(caller)), replayActorOf(caller));
  }

  @Answer(pageOf(replayRunAnswer))
  @Get()
  async list(@CurrentUser() caller: Principal, @ZodQuery(listQuery) query: z.infer<typeof listQuery>) {
    const found = await this.runs.list(visibleTenant(caller), query.limit + 1, positionOf(query.cursor, byId));
    return pageFrom(found, query.limit, ({ id }) => ({ id }));
  }

  @Answer(replayRunAnswer)
  @Get(':id')
  one(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string) {
    return this.runs.find(id, visibleTenant(caller));
  }

  @Answer(replayRunAnswer)
  @Post(':id/cancel')
  @HttpCode(200)
  cancel(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string) {
    return this.runs.cancel(id, visibleTenant(caller));
  }
}
