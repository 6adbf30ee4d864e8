import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ConnectionsModule } from '../connections';
import { HttpModule } from '../http';
import { OAuthModule } from '../oauth';
import { AdminWebhooksController } from './admin-webhooks.controller';
import { AtOnce } from './at-once';
import { EffectRunner } from './effect-runner';
import { EventClaims } from './event-claims';
import { EventRunner } from './event-runner';
import { EventsInWork } from './events-in-work';
import { HandlerContexts } from './handler-contexts';
import { HandlerRegistry } from './handler.registry';
import { InboxWriter } from './inbox-writer';
import { PayloadRetention } from './payload-retention';
import { RefusalCounter } from './refusal-counter';
import { WebhookEventList } from './webhook-event.list';
import { WebhookInbox } from './webhook-inbox';
import { WebhookProcessor } from './webhook-processor';
import { WebhookReplay } from './webhook-replay';
import { WebhooksController } from './webhooks.controller';

/** The way in: verified, stored, answered; worked off behind that, each event once. */
@Module({
  imports: [DiscoveryModule, ConnectionsModule, OAuthModule, HttpModule],
  controllers: [WebhooksController, AdminWebhooksController],
  providers: [
    RefusalCounter,
    InboxWriter,
    WebhookInbox,
    HandlerRegistry,
    HandlerContexts,
    EventClaims,
    EffectRunner,
    EventRunner,
    EventsInWork,
    AtOnce,
    WebhookProcessor,
    WebhookEventList,
    WebhookReplay,
    PayloadRetention,
  ],
  exports: [WebhookInbox, WebhookProcessor, WebhookEventList, WebhookReplay],
})
export class WebhooksModule {}
