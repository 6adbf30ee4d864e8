import { Controller, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { BrowserNews, byId, CurrentUser, html, IdParam, Roles, visibleTenant, ZodBody, type SessionPrincipal } from '../../http-api';
import { ReplayRuns, type ReplayRun } from '../../integrations';
import { page } from '../layout';
import { liveRegion } from '../live/live-region';
import { FormRoute, PageRoute } from '../page-route.decorators';
import { EVENTS_PATH, FAILED_EVENTS_PATH, REPLAYS_PATH as PATH } from './admin-links';
import { adminNews, adminNotice } from './admin-notices';
import { ListPages } from './list-pages';
import { cursorOf } from './list-query';
import { Visit, type PageVisit } from './page-visit';
import { replayFacts, replayTable } from './replay-views';

const nothing = z.strictObject({});

/** Replays of many events: how far they are, and their end before the time. */
@Roles('admin')
@Controller('admin/replays')
export class ReplaysPageController {
  constructor(
    private readonly lists: ListPages,
    private readonly runs: ReplayRuns,
    private readonly news: BrowserNews,
  ) {}

  @PageRoute()
  show(@Visit() visit: PageVisit): Promise<string> {
    return this.lists.show(
      {
        title: 'Replays',
        path: PATH,
        topic: 'replays',
        shape: { cursor: cursorOf(byId) },
        fields: (form) => form,
        read: ({ cursor }, limit, { tenant }) => this.runs.list(tenant, limit, cursor),
        position: ({ id }: ReplayRun) => ({ id }),
        above: () => html`<p><a href="${FAILED_EVENTS_PATH}">What fails, by kind and error</a></p>`,
        table: replayTable,
      },
      visit,
    );
  }

  @PageRoute(':id')
  async one(@Visit() { caller, request, reply }: PageVisit, @IdParam('id', 'not_found') id: string): Promise<string> {
    const run = await this.runs.find(id, visibleTenant(caller));
    return page({
      title: 'Replay',
      caller,
      path: EVENTS_PATH,
      body: html`${adminNotice(this.news.take(request, reply, caller))}
      ${liveRegion('replay', replayFacts(run, this.lists.viewFor(caller)), id)}`,
    });
  }

  @FormRoute(':id/cancel')
  async cancel(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam('id', 'not_found') id: string,
    @ZodBody(nothing) _: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.runs.cancel(id, visibleTenant(caller));
    this.news.tell(reply, caller, adminNews('replay-cancelled'));
    await reply.redirect(`${PATH}/${id}`, 303);
  }
}
