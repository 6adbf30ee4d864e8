import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DATABASE, OWN_DATA_SOURCE } from '../../database';
import { AuditModule } from '../audit';
import { ConnectionRepository, ConnectionsModule, PersonalData } from '../connections';
import { SYNC_TABLES } from './held-tables';
import { OutboxModule } from '../notifications/outbox';
import { AdminSyncController } from './admin-sync.controller';
import { RecordChangeEvents } from './records/record-change-events';
import { ConnectionEventsController } from './feed/connection-events.controller';
import { ConnectionStream } from './feed/connection-stream';
import { ConnectionsEventsController } from './feed/connections-events.controller';
import { ConnectionsStream } from './feed/connections-stream';
import { OpenStreams } from './feed/open-streams';
import { StateFollower } from './feed/state-follower';
import { AdminMappingsController } from './mappings/admin-mappings.controller';
import { MappedFeed } from './mappings/mapped-feed';
import { MappingEvaluator } from './mappings/mapping-evaluator';
import { MappingTeller } from './mappings/mapping-teller';
import { MappingService } from './mappings/mapping.service';
import { RecordMappers } from './mappings/record-mappers';
import { RecordMappingEntity } from './mappings/record-mapping.entity';
import { PageStore } from './pages/page-store';
import { RealtimeRecords } from './records/realtime-records';
import { RecordCompactor } from './records/record-compactor';
import { RecordFeed } from './feed/record-feed';
import { EventShapes } from './records/event-shapes';
import { RecordShapes } from './records/record-shapes';
import { RecordStore } from './records/record-store';
import { ResourceWalker } from './pages/resource-walker';
import { RunOutcome } from './runs/run-outcome';
import { RunParts } from './runs/run-parts';
import { ScheduleRepository } from './runs/schedule.repository';
import { SyncLifecycle } from './runs/sync-lifecycle';
import { SyncRunRepository } from './runs/sync-run.repository';
import { SyncJobs } from './runs/sync-jobs';
import { SyncScheduler } from './runs/sync-scheduler';
import { ResourcesController } from './resources.controller';
import { SyncController } from './sync.controller';
import { SyncService } from './runs/sync.service';
import { WalkRepository } from './pages/walk.repository';
import { SYNC_COLUMNS } from './runs/sync-columns';
import { SyncPartEntity } from './runs/sync-part.entity';
import { SyncPartRepository } from './runs/sync-part.repository';
import { SyncRunEntity } from './runs/sync-run.entity';
import { SyncScheduleEntity } from './runs/sync-schedule.entity';
import { SyncWatchEntity } from './watches/sync-watch.entity';
import { WatchRepository } from './watches/watch.repository';
import { WatchService } from './watches/watch.service';

/** Records of the connections, kept equal to the provider's: runs, cursors, the change feed, the clock and the watches. */
@Module({
  imports: [
    AuditModule,
    ConnectionsModule,
    DiscoveryModule,
    OutboxModule,
    TypeOrmModule.forFeature([RecordMappingEntity, SyncPartEntity, SyncRunEntity, SyncScheduleEntity, SyncWatchEntity], DATABASE),
  ],
  controllers: [
    ResourcesController,
    SyncController,
    ConnectionEventsController,
    ConnectionsEventsController,
    AdminSyncController,
    AdminMappingsController,
  ],
  providers: [
    OWN_DATA_SOURCE,
    RecordStore,
    RecordShapes,
    EventShapes,
    RecordFeed,
    RecordCompactor,
    MappedFeed,
    MappingEvaluator,
    MappingService,
    MappingTeller,
    RecordMappers,
    WalkRepository,
    RecordChangeEvents,
    PageStore,
    ResourceWalker,
    SyncRunRepository,
    SyncService,
    SyncPartRepository,
    RunParts,
    RunOutcome,
    SyncJobs,
    ScheduleRepository,
    SyncScheduler,
    WatchRepository,
    WatchService,
    SyncLifecycle,
    RealtimeRecords,
    ConnectionStream,
    ConnectionsStream,
    OpenStreams,
    StateFollower,
  ],
  exports: [SyncService, RecordStore, RecordFeed, WatchService, RealtimeRecords],
})
export class SyncModule {
  constructor(data: PersonalData, connections: ConnectionRepository) {
    data.register(SYNC_TABLES);
    connections.showSync(SYNC_COLUMNS);
  }
}
