import { Controller, Inject, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { BrowserNews, CurrentUser, letBeFramedBy, PageFrames, type EdgeRequest, type SessionPrincipal } from '../../http-api';
import { PageRoute } from '../page-route.decorators';
import { IntegrationsPage } from './integrations-page';

const text = z.string().max(100).optional().catch(undefined);
const browsing = z.object({ search: text, add: text });

/** The cards of a person's integrations. */
@Controller('settings/integrations')
export class IntegrationsPageController {
  constructor(
    private readonly page: IntegrationsPage,
    private readonly browserNews: BrowserNews,
    private readonly frames: PageFrames,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'browserOrigins'>,
  ) {}

  /** The address may hold anything, what a flow adds to it for products among it: nothing of that says what happened. */
  @PageRoute()
  show(
    @CurrentUser() caller: SessionPrincipal,
    @Query() query: unknown,
    @Req() request: EdgeRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    letBeFramedBy(this.settings.browserOrigins, reply);
    return this.page.show(caller, this.frames.remembered(request, reply), {
      news: this.browserNews.take(request, reply, caller),
      browsing: browsing.parse(query),
    });
  }
}
