import { Global, Module } from '@nestjs/common';
import { RealtimeRecords, SyncModule } from './sync';
import { RECORD_APPLIER, SYNC_REQUESTER } from './webhooks';

/** Where the way in meets the sync: what an event's handler brings or asks for. The two know nothing of each other. */
@Global()
@Module({
  imports: [SyncModule],
  providers: [
    { provide: RECORD_APPLIER, useExisting: RealtimeRecords },
    { provide: SYNC_REQUESTER, useExisting: RealtimeRecords },
  ],
  exports: [RECORD_APPLIER, SYNC_REQUESTER],
})
export class EventEffectsModule {}
