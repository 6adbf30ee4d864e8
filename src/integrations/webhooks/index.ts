export { ADDRESS_SECRETS } from './addresses/encrypted-table';
export { DEAD_EVENTS, failingHandlers, skewedDeliveries } from './findings';
export { withoutMember } from './inbox/without-member';
export { OnWebhook } from './processing/on-webhook.decorator';
export {
  type EventFilter,
  type FailingEvents,
  type QueueState,
  type StoredEventDetail,
  type StoredEventView,
  WebhookEventList,
} from './replay/webhook-event.list';
export { type Arrivals, WebhookArrivals } from './replay/webhook-arrivals';
export { type AskedEvents, EventFilters, eventGroup } from './replay/event-filters';
export { type ReplayRun, ReplayRuns } from './replay/replay-runs';
export { replayActorOf, WebhookReplay } from './replay/webhook-replay';
export { WebhookInbox } from './webhook-inbox';
export { WebhooksModule } from './webhooks.module';
export { type FailedEventGroup, FailedEvents } from './replay/failed-events';
