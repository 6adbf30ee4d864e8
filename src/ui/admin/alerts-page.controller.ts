import { Controller, Inject, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  BrowserNews,
  CurrentUser,
  type EdgeRequest,
  html,
  IdParam,
  Roles,
  visibleTenant,
  ZodBody,
  type SessionPrincipal,
  byTime,
  pageFrom,
} from '../../http-api';
import { CLOCK, type Clock } from '../../clock';
import { AlertService } from '../../integrations';
import { page } from '../layout';
import { liveRegion } from '../live/live-region';
import { FormRoute, PageRoute } from '../page-route.decorators';
import { nextPage } from '../table';
import { adminNews, adminNotice } from './admin-notices';
import { ALERTS_PATH as PATH } from './admin-links';
import { alertFacts, alertTable } from './alert-table';
import { FilterFields } from './filter-fields';
import { cursorOf, filterOf, PAGE_ROWS, readFilters, withoutCursor } from './list-query';

const STATES = [
  { value: 'open', label: 'Open' },
  { value: 'acknowledged', label: 'Acknowledged' },
  { value: 'resolved', label: 'Resolved' },
] as const;

const listShape = { state: filterOf(STATES.map(({ value }) => value)), cursor: cursorOf(byTime) };
const acknowledgement = z.strictObject({ back: z.enum(['/admin', PATH]).default(PATH) });

@Roles('admin')
@Controller('admin/alerts')
export class AlertsPageController {
  constructor(
    private readonly alerts: AlertService,
    private readonly news: BrowserNews,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @PageRoute()
  async show(
    @CurrentUser() caller: SessionPrincipal,
    @Query() query: unknown,
    @Req() request: EdgeRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const filters = readFilters(listShape, query);
    const form = new FilterFields(filters).select('state', 'State', STATES).form(PATH);
    const top = html`${adminNotice(this.news.take(request, reply, caller))} ${form}`;
    if (!filters.values) {
      void reply.status(400);
      return page({ title: 'Alerts', caller, path: PATH, body: top });
    }
    const { state, cursor: before } = filters.values;
    const found = await this.alerts.list({ tenant: visibleTenant(caller), state, before, limit: PAGE_ROWS + 1 });
    const { data: rows, nextCursor } = pageFrom(found, PAGE_ROWS, ({ openedAt: at, id }) => ({ at, id }));
    const body = html`${top}
    ${liveRegion('alerts', alertTable(rows, { nowMs: this.clock.now(), caller, empty: 'No alert matches.', back: PATH }))}
    ${nextPage(PATH, withoutCursor(filters), nextCursor)}`;
    return page({ title: 'Alerts', caller, path: PATH, body });
  }

  @PageRoute(':id')
  async one(@CurrentUser() caller: SessionPrincipal, @IdParam('id', 'not_found') id: string): Promise<string> {
    const alert = await this.alerts.find(id, visibleTenant(caller));
    return page({ title: 'Alert', caller, path: PATH, body: alertFacts(alert, { nowMs: this.clock.now(), caller }) });
  }

  @FormRoute(':id/acknowledge')
  async acknowledge(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam('id', 'not_found') id: string,
    @ZodBody(acknowledgement) { back }: z.infer<typeof acknowledgement>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.alerts.acknowledge(id, { tenant: visibleTenant(caller), userId: caller.userId });
    this.news.tell(reply, caller, adminNews('acknowledged'));
    await reply.redirect(back, 303);
  }
}
