import { Controller, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { BrowserNews, CurrentUser, IdParam, Roles, visibleTenant, ZodBody, type SessionPrincipal, byTime } from '../../http-api';
import { AlertService, type Alert } from '../../integrations';
import { page } from '../layout';
import { FormRoute, PageRoute } from '../page-route.decorators';
import { adminNews } from './admin-notices';
import { ALERTS_PATH as PATH } from './admin-links';
import { alertFacts, alertTable } from './alert-table';
import { ListPages } from './list-pages';
import { cursorOf, filterOf } from './list-query';
import { Visit, type PageVisit } from './page-visit';

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
    private readonly lists: ListPages,
    private readonly alerts: AlertService,
    private readonly news: BrowserNews,
  ) {}

  @PageRoute()
  show(@Visit() visit: PageVisit): Promise<string> {
    return this.lists.show(
      {
        title: 'Alerts',
        path: PATH,
        topic: 'alerts',
        shape: listShape,
        fields: (form) => form.select('state', 'State', STATES),
        read: ({ state, cursor: before }, limit, { tenant }) => this.alerts.list({ tenant, state, before, limit }),
        position: ({ openedAt: at, id }: Alert) => ({ at, id }),
        table: (rows, context) => alertTable(rows, { ...context, empty: 'No alert matches.', back: PATH }),
      },
      visit,
    );
  }

  @PageRoute(':id')
  async one(@CurrentUser() caller: SessionPrincipal, @IdParam('id', 'not_found') id: string): Promise<string> {
    const alert = await this.alerts.find(id, visibleTenant(caller));
    return page({ title: 'Alert', caller, path: PATH, body: alertFacts(alert, this.lists.viewFor(caller)) });
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
