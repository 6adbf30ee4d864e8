/** The only door into the core, for providers, pages and the product's own code. */
export * from './contract';
export { IntegrationsModule } from './integrations.module';
export {
  PlainProvidersModule,
  plainSettings,
  addressesToRegister,
  type PlainOperation,
  type PlainProvider,
  ProviderRegistry,
  ScopeNeeds,
  hashChannelToken,
  verifyChannelToken,
  JwksVerifier,
  type JwksFacts,
  type SignatureScheme,
  verifySigned,
  signStandardWebhook,
} from './providers';
export {
  assertMayManage,
  ConnectionRepository,
  type ConnectionViewer,
  mayManage,
  POLICY_CHOICES,
  type PolicyChoice,
  ownerOf,
  ConnectionsModule,
  IntegrationEvents,
  type IntegrationEvent,
  toRef,
  type Connection,
  type ConnectionStatus,
  type ConnectionWithSync,
  DisconnectService,
  GovernedHttp,
  PersonalData,
  type HeldTable,
} from './connections';
export {
  callSdk,
  OutboundModule,
  DestinationHttp,
  ProviderFetch,
  type CallOptions,
  RequestLogReader,
  type LoggedRequest,
} from './outbound';
export {
  DeliveryList,
  type Delivery,
  type DeliveryDetail,
  DestinationService,
  type Destination,
  type DestinationInput,
} from './notifications';
export {
  OnWebhook,
  withoutMember,
  WebhookInbox,
  WebhookEventList,
  type EventFilter,
  type QueueState,
  type StoredEventDetail,
  type StoredEventView,
  WebhookReplay,
  type ReplayActor,
} from './webhooks';
export {
  MapRecords,
  type RecordMapper,
  type RecordPlace,
  RecordFeed,
  type FeedItem,
  type FeedPage,
  SyncModule,
  SyncService,
  viewOf,
  type SyncRun,
  type SyncRunView,
  WatchService,
} from './sync';
export { type ChosenOwner, CONNECT_NEWS, ConnectService, KeyConnectService } from './connect';
export {
  OperationReplyInterceptor,
  type OperationResult,
  defineOperation,
  type Operation,
  type OperationCall,
  OperationRegistry,
  type OperationRequest,
  OperationService,
  PlainOperationsModule,
  type OperationView,
} from './operations';
export {
  AlertService,
  type Alert,
  MonitoringModule,
  ProviderHealthService,
  type ConnectionHealth,
  type ProviderHealth,
} from './monitoring';
