import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { inTransaction } from '../../../database';
import { IntegrationEvents, type IntegrationEvent } from '../../connections';
import { Outbox } from '../../notifications/outbox';
import { RecordStore } from '../records/record-store';
import { accessEnded } from './run-policy';
import { ScheduleRepository } from './schedule.repository';
import { SyncService } from './sync.service';
import type { SyncRun } from './sync-run';
import { SyncRunRepository, type RunEnd } from './sync-run.repository';

/** Stores how a run has ended, with what follows from it, and tells of it. */
@Injectable()
export class RunOutcome {
  constructor(
    private readonly dataSource: DataSource,
    private readonly runs: SyncRunRepository,
    private readonly records: RecordStore,
    private readonly service: SyncService,
    private readonly schedules: ScheduleRepository,
    private readonly events: IntegrationEvents,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly outbox: Outbox,
  ) {}

  /** Nothing happens where the run is not this claim's any more. */
  async end(run: SyncRun, end: RunEnd): Promise<void> {
    const finished = await inTransaction(this.dataSource, async (manager) => {
      await this.records.lock(manager, run.connectionId);
      const done = await this.runs.finish(manager, run, end);
      if (!done) return undefined;
      // A later full run answers what an earlier one was waiting for.
      if (run.type === 'full' && (end.status === 'succeeded' || end.status === 'paused')) {
        await manager.query(`UPDATE sync_runs SET status = 'failed' WHERE connection_id = $1 AND status = 'paused' AND id <> $2`, [
          run.connectionId,
          run.id,
        ]);
      }
      const goesOn =
        end.status === 'succeeded' || end.status === 'paused' || (end.status === 'failed' && !(end.error && accessEnded(end.error)));
      const followed = await this.runs.follow(manager, run.id, goesOn);
      const event = end.status === 'cancelled' ? undefined : this.eventOf(done, end);
      if (event) await this.outbox.add(manager, [event]);
      return { followed, event };
    });
    if (!finished) return;
    if (end.status === 'paused') await this.schedules.succeeded(run.connectionId);
    if (end.status === 'succeeded') await this.schedules.succeeded(run.connectionId, partsRead(run, end));
    if (end.status === 'failed') await this.schedules.failed(run.connectionId);
    if (finished.followed) this.service.wake();
    if (finished.event) this.events.emit(finished.event);
  }

  private eventOf({ id: runId, counts, type, trigger, tenant, provider, connectionId }: SyncRun, end: RunEnd): IntegrationEvent {
    return {
      type: end.status === 'succeeded' ? 'sync.completed' : 'sync.failed',
      tenant,
      provider,
      connectionId,
      at: new Date(this.clock.now()),
      data: { runId, type, trigger, counts, ...(end.error && { error: end.error }) },
    };
  }
}

function partsRead({ resources }: SyncRun, { error }: RunEnd): 'all' | 'some' | undefined {
  if (resources.length > 0) return undefined;
  return error ? 'some' : 'all';
}
