import { Controller, Query } from '@nestjs/common';
import { CurrentUser, html, type SessionPrincipal } from '../../http-api';
import { ProviderRegistry } from '../../integrations';
import { INTEGRATIONS_PATH, page } from '../layout';
import { PageRoute } from '../page-route.decorators';
import { integrationCard } from './integration-card';
import { IntegrationCards } from './integration-cards';
import { outcomeBanner } from './settings-banner';

/** The cards of a person's integrations. */
@Controller('settings/integrations')
export class IntegrationsPageController {
  constructor(
    private readonly cards: IntegrationCards,
    private readonly registry: ProviderRegistry,
  ) {}

  /** The address comes from redirects and may hold anything: what is not known is left out, not refused. */
  @PageRoute()
  async show(@CurrentUser() caller: SessionPrincipal, @Query() query: Record<string, unknown>): Promise<string> {
    const { cards, nowMs } = await this.cards.of(caller);
    const news = outcomeBanner(
      { success: text(query['success']), error: text(query['error']), notice: text(query['notice']) },
      (key) => this.registry.find(key)?.name,
    );
    const list =
      cards.length === 0
        ? html`<p class="empty">No integration has been set up on this server yet.</p>`
        : html`<ul class="cards" data-live="${INTEGRATIONS_PATH}">
            ${cards.map((card) => integrationCard(card, { nowMs, csrfToken: caller.csrfToken }))}
          </ul>`;
    const body = html`${news} ${list}
      <p class="unseen" role="status" data-news></p>`;
    return page({ title: 'Integrations', caller, path: INTEGRATIONS_PATH, body });
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
