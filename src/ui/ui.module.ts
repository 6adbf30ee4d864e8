import { Module } from '@nestjs/common';
import { IntegrationsModule } from '../integrations';
import { AlertsPageController } from './admin/alerts-page.controller';
import { AuditPageController } from './admin/audit-page.controller';
import { ConnectionFormsController } from './admin/connection-forms.controller';
import { ConnectionTimeline } from './admin/connection-timeline';
import { ConnectionsPageController } from './admin/connections-page.controller';
import { DeliveriesPageController } from './admin/deliveries-page.controller';
import { DestinationFormsController } from './admin/destination-forms.controller';
import { DestinationNames } from './admin/destination-names';
import { DestinationsPageController } from './admin/destinations-page.controller';
import { FailedEventsPageController } from './admin/failed-events-page.controller';
import { KeysPageController } from './admin/keys-page.controller';
import { ListPages } from './admin/list-pages';
import { Lookup } from './admin/lookup';
import { OverviewPageController } from './admin/overview-page.controller';
import { ProviderCircumstances } from './admin/provider-circumstances';
import { ProvidersPageController } from './admin/providers-page.controller';
import { ReplaysPageController } from './admin/replays-page.controller';
import { RequestsPageController } from './admin/requests-page.controller';
import { SearchPageController } from './admin/search-page.controller';
import { SyncRunsPageController } from './admin/sync-runs-page.controller';
import { WebhookEventsPageController } from './admin/webhook-events-page.controller';
import { AssetsController } from './assets.controller';
import { EmbedController } from './embed.controller';
import { ActivityStates } from './live/activity-states';
import { ConnectionStates } from './live/connection-states';
import { EventStates } from './live/event-states';
import { LiveController } from './live/live.controller';
import { LiveTopics } from './live/live-topics';
import { NotificationStates } from './live/notification-states';
import { OverviewState } from './live/overview-state';
import { PageStreams } from './live/page-streams';
import { DisconnectFormController } from './settings/disconnect-form.controller';
import { IntegrationCards } from './settings/integration-cards';
import { IntegrationFormsController } from './settings/integration-forms.controller';
import { IntegrationsPage } from './settings/integrations-page';
import { IntegrationsPageController } from './settings/integrations-page.controller';
import { PolicyFormController } from './settings/policy-form.controller';

/** The pages of people: their integrations, and what administrators watch. They work without a script. */
@Module({
  imports: [IntegrationsModule],
  controllers: [
    AssetsController,
    EmbedController,
    LiveController,
    IntegrationsPageController,
    IntegrationFormsController,
    PolicyFormController,
    DisconnectFormController,
    OverviewPageController,
    ProvidersPageController,
    AlertsPageController,
    ConnectionsPageController,
    ConnectionFormsController,
    WebhookEventsPageController,
    SyncRunsPageController,
    RequestsPageController,
    DeliveriesPageController,
    DestinationsPageController,
    DestinationFormsController,
    SearchPageController,
    FailedEventsPageController,
    ReplaysPageController,
    AuditPageController,
    KeysPageController,
  ],
  providers: [
    IntegrationCards,
    IntegrationsPage,
    ConnectionTimeline,
    ActivityStates,
    ConnectionStates,
    EventStates,
    DestinationNames,
    ListPages,
    ProviderCircumstances,
    Lookup,
    NotificationStates,
    OverviewState,
    LiveTopics,
    PageStreams,
  ],
})
export class UiModule {}
