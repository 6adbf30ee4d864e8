export { type FeedItem, type FeedPage, RecordFeed } from './feed/record-feed';
export { failingParts, failingSyncs, PAUSED_RUNS } from './findings';
export { MapRecords, type RecordMapper, type RecordPlace } from './mappings/record-mappers';
export { RealtimeRecords } from './records/realtime-records';
export { type SyncRun, type SyncRunView, viewOf } from './runs/sync-run';
export type { WaitingRuns } from './runs/sync-run.repository';
export { SyncService } from './runs/sync.service';
export { SyncModule } from './sync.module';
export { WatchService } from './watches/watch.service';
