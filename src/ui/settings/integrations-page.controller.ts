import { Controller, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { BrowserNews, CurrentUser, html, type EdgeRequest, type SessionPrincipal } from '../../http-api';
import { INTEGRATIONS_PATH, page } from '../layout';
import { liveRegion } from '../live/live-region';
import { PageRoute } from '../page-route.decorators';
import { integrationCard } from './integration-card';
import { IntegrationCards } from './integration-cards';
import { newsBanner } from './settings-banner';

/** The cards of a person's integrations. */
@Controller('settings/integrations')
export class IntegrationsPageController {
  constructor(
    private readonly cards: IntegrationCards,
    private readonly browserNews: BrowserNews,
  ) {}

  /** The address may hold anything, what a flow adds to it for products among it: nothing of it is read. */
  @PageRoute()
  async show(
    @CurrentUser() caller: SessionPrincipal,
    @Req() request: EdgeRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const { cards, nowMs } = await this.cards.of(caller);
    const news = this.browserNews.take(request, reply, caller);
    const list =
      cards.length === 0
        ? html`<p class="empty">No integration has been set up on this server yet.</p>`
        : html`<ul class="cards">
            ${cards.map((card) => integrationCard(card, { nowMs, csrfToken: caller.csrfToken }))}
          </ul>`;
    const body = html`${news && newsBanner(news, cards)} ${liveRegion('cards', list)}
      <p class="unseen" role="status" data-news></p>`;
    return page({ title: 'Integrations', caller, path: INTEGRATIONS_PATH, body });
  }
}
