import { Injectable } from '@nestjs/common';
import { html, type News, type SessionPrincipal } from '../../http-api';
import { INTEGRATIONS_PATH, page } from '../layout';
import { liveRegion } from '../live/live-region';
import type { Attempt } from './asked-fields';
import { integrationCard } from './integration-card';
import { IntegrationCards } from './integration-cards';
import { newsBanner } from './settings-banner';

/** The cards as one page, with what a form has done or what it came to nothing by. */
@Injectable()
export class IntegrationsPage {
  constructor(private readonly cards: IntegrationCards) {}

  async show(caller: SessionPrincipal, { news, attempt }: { news?: News | undefined; attempt?: Attempt } = {}): Promise<string> {
    const { cards, nowMs } = await this.cards.of(caller);
    const context = { nowMs, csrfToken: caller.csrfToken, ...(attempt && { attempt }) };
    const list =
      cards.length === 0
        ? html`<p class="empty">No integration has been set up on this server yet.</p>`
        : html`<ul class="cards">
            ${cards.map((card) => integrationCard(card, context))}
          </ul>`;
    const body = html`${news && newsBanner(news, cards)} ${liveRegion('cards', list)}
      <p class="unseen" role="status" data-news></p>`;
    return page({ title: 'Integrations', caller, path: INTEGRATIONS_PATH, body });
  }
}
