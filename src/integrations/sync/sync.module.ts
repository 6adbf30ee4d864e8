import { Module } from '@nestjs/common';
import { ConnectionsModule } from '../connections';
import { GovernedHttp, HttpModule } from '../http';
import { OAuthModule } from '../oauth';
import { ActiveRuns } from './active-runs';
import { AdminSyncController } from './admin-sync.controller';
import { ChangeNotes } from './change-notes';
import { ConnectionEventsController } from './connection-events.controller';
import { ConnectionStream } from './connection-stream';
import { PageStore } from './page-store';
import { RealtimeSync } from './realtime';
import { RecordCompactor } from './record-compactor';
import { RecordFeed } from './record-feed';
import { RecordStore } from './record-store';
import { ResourceWalker } from './resource-walker';
import { ScheduleRepository } from './schedule.repository';
import { SYNC_FETCH } from './sync-fetch.port';
import { SyncLifecycle } from './sync-lifecycle';
import { SyncRunRepository } from './sync-run.repository';
import { SyncRunner } from './sync-runner';
import { SyncScheduler } from './sync-scheduler';
import { SyncController } from './sync.controller';
import { SyncService } from './sync.service';
import { WalkRepository } from './walk.repository';
import { WatchRepository } from './watch.repository';
import { WatchService } from './watch.service';

/** Records of the connections, kept equal to the provider's: runs, cursors, the change feed, the clock and the watches. */
@Module({
  imports: [ConnectionsModule, OAuthModule, HttpModule],
  controllers: [SyncController, ConnectionEventsController, AdminSyncController],
  providers: [
    RecordStore,
    RecordFeed,
    RecordCompactor,
    WalkRepository,
    ChangeNotes,
    PageStore,
    ResourceWalker,
    SyncRunRepository,
    ActiveRuns,
    SyncService,
    SyncRunner,
    ScheduleRepository,
    SyncScheduler,
    WatchRepository,
    WatchService,
    SyncLifecycle,
    RealtimeSync,
    ConnectionStream,
    { provide: SYNC_FETCH, useExisting: GovernedHttp },
  ],
  exports: [SyncService, RecordStore, RecordFeed, WatchService, RealtimeSync],
})
export class SyncModule {}
