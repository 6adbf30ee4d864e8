import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit';
import { ConnectionsModule, PersonalData } from '../connections';
import { WEBHOOK_TABLES } from './held-tables';
import { OutboxModule } from '../notifications/outbox';
import { OutboundModule } from '../outbound';
import { SyncModule } from '../sync';
import { AdminWebhooksController } from './replay/admin-webhooks.controller';
import { DirectProcessing } from './processing/direct-processing';
import { EffectRunner } from './processing/effect-runner';
import { EventClaims } from './processing/event-claims';
import { EventRunner } from './processing/event-runner';
import { ClaimedEvents } from './processing/claimed-events';
import { HandlerContexts } from './processing/handler-contexts';
import { HandlerRegistry } from './processing/handler.registry';
import { ImmediateAnswers } from './inbox/immediate-answers';
import { InboxWriter } from './inbox/inbox-writer';
import { PayloadRetention } from './replay/payload-retention';
import { RefusalCounter } from './inbox/refusal-counter';
import { WebhookEventList } from './replay/webhook-event.list';
import { WebhookInbox } from './inbox/webhook-inbox';
import { processingRulesProvider } from './processing/processor-options';
import { WebhookProcessor } from './processing/webhook-processor';
import { WebhookEventEntity } from './webhook-event.entity';
import { WebhookReplayEntity } from './replay/webhook-replay.entity';
import { WebhookReplay } from './replay/webhook-replay';
import { WebhooksController } from './inbox/webhooks.controller';

/** The way in: verified, stored, answered; worked off behind that, each event once. */
@Module({
  imports: [
    AuditModule,
    DiscoveryModule,
    ConnectionsModule,
    OutboxModule,
    OutboundModule,
    SyncModule,
    TypeOrmModule.forFeature([WebhookEventEntity, WebhookReplayEntity]),
  ],
  controllers: [WebhooksController, AdminWebhooksController],
  providers: [
    processingRulesProvider,
    RefusalCounter,
    ImmediateAnswers,
    InboxWriter,
    WebhookInbox,
    HandlerRegistry,
    HandlerContexts,
    EventClaims,
    EffectRunner,
    EventRunner,
    ClaimedEvents,
    DirectProcessing,
    WebhookProcessor,
    WebhookEventList,
    WebhookReplay,
    PayloadRetention,
  ],
  exports: [WebhookInbox, WebhookProcessor, WebhookEventList, WebhookReplay],
})
export class WebhooksModule {
  constructor(data: PersonalData) {
    data.register(WEBHOOK_TABLES);
  }
}
