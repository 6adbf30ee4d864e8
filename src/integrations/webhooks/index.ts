export { OnWebhook, type WebhookSubscription } from './on-webhook.decorator';
export { RECORD_APPLIER, SYNC_REQUESTER, type AfterCommit, type RecordApplier, type SyncRequester } from './ports';
export { PROCESSOR_OPTIONS, type ProcessorOptions } from './processor-options';
export * from './schemes';
export {
  WebhookEventList,
  type EventFilter,
  type EventPosition,
  type EventStatus,
  type QueueState,
  type StoredEventDetail,
  type StoredEventView,
} from './webhook-event.list';
export { WebhookInbox, type InboxAnswer } from './webhook-inbox';
export { WebhookProcessor } from './webhook-processor';
export { WebhookReplay, type ReplayActor, type ReplayReport } from './webhook-replay';
export { WebhooksModule } from './webhooks.module';
export { withoutMember } from './without-member';
