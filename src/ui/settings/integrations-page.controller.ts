import { Controller, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { BrowserNews, CurrentUser, type EdgeRequest, type SessionPrincipal } from '../../http-api';
import { PageRoute } from '../page-route.decorators';
import { IntegrationsPage } from './integrations-page';

/** The cards of a person's integrations. */
@Controller('settings/integrations')
export class IntegrationsPageController {
  constructor(
    private readonly page: IntegrationsPage,
    private readonly browserNews: BrowserNews,
  ) {}

  /** The address may hold anything, what a flow adds to it for products among it: nothing of it is read. */
  @PageRoute()
  show(
    @CurrentUser() caller: SessionPrincipal,
    @Req() request: EdgeRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return this.page.show(caller, { news: this.browserNews.take(request, reply, caller) });
  }
}
