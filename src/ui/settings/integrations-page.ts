import { Injectable } from '@nestjs/common';
import { html, type News, type SessionPrincipal } from '../../http-api';
import { INTEGRATIONS_PATH, page } from '../layout';
import { liveRegion } from '../live/live-region';
import type { Attempt } from './asked-fields';
import { galleryOf, shelved, type Browsing } from './gallery';
import { integrationCard } from './integration-card';
import { IntegrationCards } from './integration-cards';
import { newsBanner } from './settings-banner';

export interface Shown {
  readonly news?: News | undefined;
  readonly attempt?: Attempt;
  readonly browsing?: Browsing;
}

/** The cards as one page, with what a form has done or what it came to nothing by. */
@Injectable()
export class IntegrationsPage {
  constructor(private readonly cards: IntegrationCards) {}

  async show(caller: SessionPrincipal, { news, attempt, browsing = {} }: Shown = {}): Promise<string> {
    const { cards: all, nowMs } = await this.cards.of(caller);
    const context = { nowMs, csrfToken: caller.csrfToken, ...(attempt && { attempt }) };
    const chosen = new Set([browsing.add, attempt?.provider].filter((key) => key !== undefined));
    const { cards, gallery } = shelved(all, chosen);
    const list =
      all.length === 0
        ? html`<p class="empty">No integration has been set up on this server yet.</p>`
        : html`<ul class="cards">
            ${cards.map((card) => integrationCard(card, context))}
          </ul>`;
    const body = html`${news && newsBanner(news, all)} ${liveRegion('cards', html`${list} ${gallery && galleryOf(gallery, browsing)}`)}
      <p class="unseen" role="status" data-news></p>`;
    return page({ title: 'Integrations', caller, path: INTEGRATIONS_PATH, body });
  }
}
