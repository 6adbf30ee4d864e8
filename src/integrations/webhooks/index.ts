export { OnWebhook, type WebhookSubscription } from './on-webhook.decorator';
export { RECORD_APPLIER, SYNC_REQUESTER, type AfterCommit, type RecordApplier, type SyncRequester } from './ports';
export { PROCESSOR_OPTIONS, type ProcessorOptions } from './processor-options';
export * from './schemes';
export { WebhookInbox, type InboxAnswer } from './webhook-inbox';
export { WebhookProcessor } from './webhook-processor';
export { WebhooksModule } from './webhooks.module';
