import { Injectable } from '@nestjs/common';
import { visibleTenant, type SessionPrincipal } from '../../http-api';
import { AlertService, ProviderHealthService, RequestLogReader, SyncService, WebhookEventList } from '../../integrations';
import { PAGE_ROWS } from '../admin/list-query';
import { IntegrationCards } from '../settings/integration-cards';

/** What a page shows that is brought up to date while it is open. All but the cards are for administrators. */
export const LIVE_TOPICS = ['cards', 'overview', 'alerts', 'webhook-events', 'sync-runs', 'requests'] as const;
export type LiveTopic = (typeof LIVE_TOPICS)[number];

/** The state behind a page, as one text: where it differs from before, the page is out of date. Each sees their own. */
@Injectable()
export class LiveTopics {
  constructor(
    private readonly cards: IntegrationCards,
    private readonly alerts: AlertService,
    private readonly events: WebhookEventList,
    private readonly syncs: SyncService,
    private readonly requests: RequestLogReader,
    private readonly health: ProviderHealthService,
  ) {}

  async stateOf(topic: LiveTopic, caller: SessionPrincipal): Promise<string> {
    return JSON.stringify(await this.read(topic, caller));
  }

  private async read(topic: LiveTopic, caller: SessionPrincipal): Promise<unknown> {
    const newest = { tenant: visibleTenant(caller), limit: PAGE_ROWS };
    switch (topic) {
      case 'cards':
        return (await this.cards.of(caller)).cards.map(({ provider, accounts }) => [provider.key, accounts]);
      case 'overview':
        return Promise.all([
          this.alerts.countOpen(newest.tenant),
          this.events.queue(newest.tenant).then(({ depth, inFlight, retrying, dead }) => ({ depth, inFlight, retrying, dead })),
          this.events.failing(newest.tenant),
          this.health.inUse(newest.tenant),
        ]);
      case 'alerts':
        return this.alerts.list(newest);
      case 'webhook-events':
        return this.events.list({ tenant: newest.tenant }, PAGE_ROWS);
      case 'sync-runs':
        return this.syncs.list(newest);
      case 'requests':
        return this.requests.list(newest);
    }
  }
}
