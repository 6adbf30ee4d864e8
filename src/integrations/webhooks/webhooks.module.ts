import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DATABASE, OWN_DATA_SOURCE } from '../../database';
import { AuditModule } from '../audit';
import { ConnectionsModule, PersonalData } from '../connections';
import { WebhookAddressEntity } from './addresses/webhook-address.entity';
import { WebhookAddressesController } from './addresses/webhook-addresses.controller';
import { WebhookAddressesService } from './addresses/webhook-addresses.service';
import { WEBHOOK_TABLES } from './held-tables';
import { FiguresModule } from '../figures';
import { OutboxModule } from '../notifications/outbox';
import { OutboundModule } from '../outbound';
import { SyncModule } from '../sync';
import { AdminWebhooksController } from './replay/admin-webhooks.controller';
import { ClaimStrategy } from './processing/claim-strategy';
import { DeliveryCalls } from './inbox/delivery-calls';
import { DeliveryReader } from './inbox/delivery-reader';
import { DirectProcessing } from './processing/direct-processing';
import { EffectRunner } from './processing/effect-runner';
import { EventClaims } from './processing/event-claims';
import { EventOutcomes } from './processing/event-outcomes';
import { EventRunner } from './processing/event-runner';
import { FurtherReceivers } from './inbox/further-receivers';
import { HandlerContexts } from './processing/handler-contexts';
import { HandlerRegistry } from './processing/handler.registry';
import { ImmediateAnswers } from './inbox/immediate-answers';
import { InboxWriter } from './inbox/inbox-writer';
import { PayloadRetention } from './replay/payload-retention';
import { RefusalCounter } from './inbox/refusal-counter';
import { EventSums } from './replay/event-sums';
import { WebhookArrivals } from './replay/webhook-arrivals';
import { WebhookEventList } from './replay/webhook-event.list';
import { processingRulesProvider } from './processing/processing-options';
import { WebhookEventEntity } from './webhook-event.entity';
import { WebhookInbox } from './webhook-inbox';
import { WebhookReplayEntity } from './replay/webhook-replay.entity';
import { WebhookReplay } from './replay/webhook-replay';
import { AdminReplaysController } from './replay/admin-replays.controller';
import { EventFilters } from './replay/event-filters';
import { ReplayJobs } from './replay/replay-jobs';
import { ReplayRuns } from './replay/replay-runs';
import { WebhooksController } from './inbox/webhooks.controller';

/** The way in: verified, stored, answered; worked off behind that, each event once. */
@Module({
  imports: [
    FiguresModule,
    AuditModule,
    DiscoveryModule,
    ConnectionsModule,
    OutboxModule,
    OutboundModule,
    SyncModule,
    TypeOrmModule.forFeature([WebhookAddressEntity, WebhookEventEntity, WebhookReplayEntity], DATABASE),
  ],
  controllers: [WebhooksController, WebhookAddressesController, AdminWebhooksController, AdminReplaysController],
  providers: [
    OWN_DATA_SOURCE,
    processingRulesProvider,
    WebhookInbox,
    RefusalCounter,
    DeliveryCalls,
    DeliveryReader,
    WebhookAddressesService,
    InboxWriter,
    FurtherReceivers,
    ImmediateAnswers,
    DirectProcessing,
    ClaimStrategy,
    EventClaims,
    EventOutcomes,
    EventRunner,
    EffectRunner,
    HandlerRegistry,
    HandlerContexts,
    EventSums,
    WebhookArrivals,
    WebhookEventList,
    WebhookReplay,
    EventFilters,
    ReplayRuns,
    ReplayJobs,
    PayloadRetention,
  ],
  exports: [WebhookInbox, EventSums, WebhookArrivals, WebhookEventList, WebhookReplay, EventFilters, ReplayRuns],
})
export class WebhooksModule {
  constructor(data: PersonalData) {
    data.register(WEBHOOK_TABLES);
  }
}
