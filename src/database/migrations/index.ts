import { Baseline1764000000000 } from './1764000000000-baseline';
import { ConnectFields1764400000000 } from './1764400000000-connect-fields';
import { Audit1764450000000 } from './1764450000000-audit';
import { SealedSessions1764460000000 } from './1764460000000-sealed-sessions';
import { RecordParts1764500000000 } from './1764500000000-record-parts';
import { WebhookPayloads1764510000000 } from './1764510000000-webhook-payloads';
import { Grants1764520000000 } from './1764520000000-grants';
import { WaitingRuns1764530000000 } from './1764530000000-waiting-runs';
import { TenantRows1764550000000 } from './1764550000000-tenant-rows';
import { ConnectDisplay1764610000000 } from './1764610000000-connect-display';
import { AlertsWithoutNotices1764620000000 } from './1764620000000-alerts-without-notices';
import { PartFailures1764650000000 } from './1764650000000-part-failures';
import { AuditOutcome1764660000000 } from './1764660000000-audit-outcome';
import { ConnectMaker1764660001000 } from './1764660001000-connect-maker';
import { UnsentDisconnects1764660002000 } from './1764660002000-unsent-disconnects';
import { EveryDoor1764670000000 } from './1764670000000-every-door';
import { ConnectionOwners1764690000000 } from './1764690000000-connection-owners';
import { StripeModes1764690001000 } from './1764690001000-stripe-modes';
import { OutboxPayloads1764700000000 } from './1764700000000-outbox-payloads';
import { OutboxPayloadRows1764709000000 } from './1764709000000-outbox-payload-rows';
import { ConnectionSeals1764800000000 } from './1764800000000-connection-seals';
import { SyncParts1764810000000 } from './1764810000000-sync-parts';
import { ProviderCodes1764820000000 } from './1764820000000-provider-codes';
import { RunLeaseOwners1764860000000 } from './1764860000000-run-lease-owners';
import { ConnectSeals1764870000000 } from './1764870000000-connect-seals';
import { UserScopes1764870001000 } from './1764870001000-user-scopes';
import { RecordMappings1764910000000 } from './1764910000000-record-mappings';
import { OAuthClients1764920000000 } from './1764920000000-oauth-clients';
import { DestinationChoices1764925000000 } from './1764925000000-destination-choices';
import { AdminLists1764950000000 } from './1764950000000-admin-lists';
import { WebhookAddresses1764960000000 } from './1764960000000-webhook-addresses';
import { Traces1764970000000 } from './1764970000000-traces';
import { EventFailures1764973000000 } from './1764973000000-event-failures';
import { TimePartitions1764975000000 } from './1764975000000-time-partitions';
import { ListIndexes1764975100000 } from './1764975100000-list-indexes';
import { RecordShapes1764980200000 } from './1764980200000-record-shapes';
import { ConnectionCounts1764990200000 } from './1764990200000-connection-counts';
import { FailingEvents1764990210000 } from './1764990210000-failing-events';
import { FailedKinds1764990500000 } from './1764990500000-failed-kinds';
import { NeededKeys1764990510000 } from './1764990510000-needed-keys';
import { LimitedRequests1764990600000 } from './1764990600000-limited-requests';
import { TenantOfEvents1764990700000 } from './1764990700000-tenant-of-events';
import { Figures1764980300000 } from './1764980300000-figures';
import { ReplayRuns1764980310000 } from './1764980310000-replay-runs';

/** The core's, in the order in which they are applied. One that has landed is never edited: add another. A product's own come beside them. */
export const MIGRATIONS = [
  Baseline1764000000000,
  ConnectFields1764400000000,
  Audit1764450000000,
  SealedSessions1764460000000,
  RecordParts1764500000000,
  WebhookPayloads1764510000000,
  Grants1764520000000,
  WaitingRuns1764530000000,
  TenantRows1764550000000,
  ConnectDisplay1764610000000,
  AlertsWithoutNotices1764620000000,
  PartFailures1764650000000,
  AuditOutcome1764660000000,
  ConnectMaker1764660001000,
  UnsentDisconnects1764660002000,
  EveryDoor1764670000000,
  ConnectionOwners1764690000000,
  StripeModes1764690001000,
  OutboxPayloads1764700000000,
  OutboxPayloadRows1764709000000,
  ConnectionSeals1764800000000,
  SyncParts1764810000000,
  ProviderCodes1764820000000,
  RunLeaseOwners1764860000000,
  ConnectSeals1764870000000,
  UserScopes1764870001000,
  RecordMappings1764910000000,
  OAuthClients1764920000000,
  DestinationChoices1764925000000,
  AdminLists1764950000000,
  WebhookAddresses1764960000000,
  Traces1764970000000,
  EventFailures1764973000000,
  TimePartitions1764975000000,
  ListIndexes1764975100000,
  RecordShapes1764980200000,
  Figures1764980300000,
  ReplayRuns1764980310000,
  ConnectionCounts1764990200000,
  FailingEvents1764990210000,
  FailedKinds1764990500000,
  NeededKeys1764990510000,
  LimitedRequests1764990600000,
  TenantOfEvents1764990700000,
];
