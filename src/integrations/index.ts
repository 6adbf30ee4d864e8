/** The only door into the core, for providers, pages and the product's own code. */
export * from './provider';
export { IntegrationsModule } from './integrations.module';
export { ProviderRegistry } from './registry/provider-registry';
export {
  ConnectionRepository,
  ConnectionsModule,
  IntegrationEvents,
  toRef,
  type Connection,
  type ConnectionStatus,
  type ConnectionViewer,
  type ConnectionWithSync,
  type IntegrationEvent,
} from './connections';
export { callSdk, GovernedHttp, HttpModule, OutgoingHttp, signStandardWebhook, type CallOptions } from './http';
export {
  OnWebhook,
  hashChannelToken,
  PubsubVerifier,
  verifyChannelToken,
  verifyHmac,
  verifySlackSignature,
  verifyStandardWebhook,
  verifyStripeSignature,
  withoutMember,
  WebhookInbox,
} from './webhooks';
export {
  RecordFeed,
  SyncModule,
  SyncService,
  viewOf,
  WatchService,
  type FeedItem,
  type FeedPage,
  type SyncRun,
  type SyncRunView,
} from './sync';
export { ConnectService, DisconnectService } from './oauth';
export {
  ActionReconciler,
  ActionReplyInterceptor,
  ActionService,
  type ActionAnswer,
  type ActionResult,
  type Operation,
  type Reconcile,
} from './actions';
export {
  AlertService,
  HealthModule,
  ProviderHealthService,
  RequestLogReader,
  type Alert,
  type ConnectionHealth,
  type LoggedRequest,
  type ProviderHealth,
} from './health';
export {
  WebhookEventList,
  WebhookReplay,
  type QueueState,
  type ReplayActor,
  type StoredEventDetail,
  type StoredEventView,
} from './webhooks';
export { DeliveryList, DestinationService, type Delivery, type DeliveryDetail, type Destination, type DestinationInput } from './outgoing';
