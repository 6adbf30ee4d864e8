import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { html, told, type PageFrame, type SessionPrincipal, type ToldNews } from '../../http-api';
import { INTEGRATIONS_PATH, page } from '../layout';
import { liveRegion } from '../live/live-region';
import type { Attempt } from './asked-fields';
import { galleryOf, shelved, type Browsing } from './gallery';
import { integrationCard } from './integration-card';
import { IntegrationCards } from './integration-cards';
import { newsBanner } from './settings-banner';

export interface Shown {
  readonly news?: ToldNews | undefined;
  readonly attempt?: Attempt;
  readonly browsing?: Browsing;
}

/** The cards as one page, with what a form has done or what it came to nothing by. */
@Injectable()
export class IntegrationsPage {
  constructor(
    private readonly cards: IntegrationCards,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'sandboxPage'>,
  ) {}

  async show(caller: SessionPrincipal, frame: PageFrame, { news, attempt, browsing = {} }: Shown = {}): Promise<string> {
    const { language } = frame;
    const { sandboxPage } = this.settings;
    const { cards: all, nowMs } = await this.cards.of(caller);
    const context = { nowMs, language, csrfToken: caller.csrfToken, ...(attempt && { attempt }) };
    const chosen = new Set([browsing.add, attempt?.provider].filter((key) => key !== undefined));
    const { cards, gallery } = shelved(all, chosen);
    const list =
      all.length === 0
        ? html`<p class="empty">${language.say('integrations.none')}</p>`
        : html`<ul class="cards">
            ${cards.map((card) => integrationCard(card, context))}
          </ul>`;
    const banner = news && newsBanner(news, all, language);
    const body = html`<div id="told" ${banner && html`data-told="${news.sealed}"`}>${banner}</div>
      ${liveRegion('cards', html`${list} ${gallery && galleryOf(gallery, browsing, language)}`)}
      ${sandboxPage !== undefined && html`<p class="soft">${told(language, 'integrations.sandbox', { page: html`<a href="${sandboxPage}">${language.say('integrations.sandboxPage')}</a>` })}</p>`}
      <p class="unseen" role="status" data-news></p>`;
    return page({ title: language.say('integrations.title'), frame, caller, path: INTEGRATIONS_PATH, body });
  }
}
