export { RealtimeSync } from './realtime';
export { RecordFeed, type FeedItem, type FeedPage } from './record-feed';
export { RecordStore, type RecordCounts } from './record-store';
export { SyncModule } from './sync.module';
export { SyncService, type SyncRequest } from './sync.service';
export { viewOf, type SyncRun, type SyncRunView, type SyncStatus, type SyncTrigger, type SyncType } from './sync-run';
export { WatchService } from './watch.service';
