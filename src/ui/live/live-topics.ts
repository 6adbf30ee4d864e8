import { Injectable } from '@nestjs/common';
import { visibleTenant, type SessionPrincipal } from '../../http-api';
import { AlertService } from '../../integrations';
import { PAGE_ROWS } from '../admin/list-query';
import { IntegrationCards } from '../settings/integration-cards';
import { ActivityStates } from './activity-states';
import { ConnectionStates } from './connection-states';
import { EventStates } from './event-states';
import { NotificationStates } from './notification-states';
import { OverviewState } from './overview-state';

/** What lists show that is brought up to date while their page is open. All but the cards are for administrators. */
const LISTS = [
  'cards',
  'overview',
  'alerts',
  'webhook-events',
  'failed-events',
  'replays',
  'sync-runs',
  'requests',
  'audit',
  'connections',
  'deliveries',
  'destinations',
] as const;
/** What is about one thing. */
const ONES = ['connection', 'webhook-event', 'replay', 'delivery', 'destination'] as const;
export const LIVE_TOPICS = [...LISTS, ...ONES] as const;
export type LiveTopic = (typeof LIVE_TOPICS)[number];

export function isAboutOne(topic: LiveTopic): boolean {
  return (ONES as readonly LiveTopic[]).includes(topic);
}

export interface WatchedTopic {
  readonly topic: LiveTopic;
  /** Of what the page is about, where it is about one thing. */
  readonly id?: string;
  readonly caller: SessionPrincipal;
}

/** The state behind a page, as one text: where it differs from before, the page is out of date. Each sees their own. */
@Injectable()
export class LiveTopics {
  constructor(
    private readonly cards: IntegrationCards,
    private readonly alerts: AlertService,
    private readonly events: EventStates,
    private readonly activity: ActivityStates,
    private readonly overview: OverviewState,
    private readonly connections: ConnectionStates,
    private readonly notifications: NotificationStates,
  ) {}

  async stateOf({ topic, id, caller }: WatchedTopic): Promise<string> {
    return JSON.stringify(await this.read({ topic, id, caller }));
  }

  private async read({ topic, id = '', caller }: WatchedTopic): Promise<unknown> {
    const newest = { tenant: visibleTenant(caller), limit: PAGE_ROWS };
    switch (topic) {
      case 'cards':
        return (await this.cards.of(caller)).cards.map(({ provider, accounts }) => [provider.key, accounts]);
      case 'overview':
        return this.overview.of(newest.tenant);
      case 'alerts':
        return this.alerts.list(newest);
      case 'webhook-events':
        return this.events.newest(newest.tenant);
      case 'webhook-event':
        return this.events.one(id, newest.tenant);
      case 'failed-events':
        return this.events.failing(newest.tenant);
      case 'replays':
        return this.events.replays(newest.tenant);
      case 'replay':
        return this.events.replay(id, newest.tenant);
      case 'sync-runs':
        return this.activity.runs(newest.tenant);
      case 'requests':
        return this.activity.requests(newest.tenant);
      case 'audit':
        return this.activity.audit(newest.tenant);
      case 'connections':
        return this.connections.list(caller);
      case 'connection':
        return this.connections.one(id, caller);
      case 'deliveries':
        return this.notifications.newest(newest.tenant);
      case 'delivery':
        return this.notifications.delivery(id, newest.tenant);
      case 'destinations':
        return this.notifications.destinations(newest.tenant);
      case 'destination':
        return this.notifications.destination(id, newest.tenant);
    }
  }
}
