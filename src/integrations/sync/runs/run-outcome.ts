import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { inTransaction } from '../../../database';
import { IntegrationEvents, partView, type IntegrationEvent, type PartView } from '../../connections';
import { Outbox } from '../../notifications/outbox';
import { RecordStore } from '../records/record-store';
import { syncRuns, syncRunSeconds } from './run-metrics';
import { accessEnded } from './run-policy';
import { ScheduleRepository } from './schedule.repository';
import { SyncService } from './sync.service';
import { partKey, type LearnedParts } from './sync-part';
import { SyncPartRepository } from './sync-part.repository';
import type { SyncRun } from './sync-run';
import type { PartShapeErrors } from './sync-run.entity';
import { SyncRunRepository, type RunEnd } from './sync-run.repository';

/** Behind the priority of every trigger. */
const LAST = 9;

/** Stores how a run has ended, with what follows from it, and tells of it. */
@Injectable()
export class RunOutcome {
  constructor(
    private readonly dataSource: DataSource,
    private readonly runs: SyncRunRepository,
    private readonly records: RecordStore,
    private readonly service: SyncService,
    private readonly parts: SyncPartRepository,
    private readonly schedules: ScheduleRepository,
    private readonly events: IntegrationEvents,
    private readonly outbox: Outbox,
  ) {}

  /** Nothing happens where the run is not this claim's any more. */
  async end(run: SyncRun, end: RunEnd, learned?: LearnedParts): Promise<void> {
    // A run of some parts that could read none of them says nothing against the connection: the parts wait, and nothing else.
    const ofParts = learned !== undefined && run.resources.length > 0;
    const finished = await inTransaction(this.dataSource, async (manager) => {
      await this.records.lock(manager, run.connectionId);
      if (!(await this.runs.hold(manager, run))) return undefined;
      if (learned) await this.parts.note(manager, run.connectionId, learned, { pauses: end.status !== 'failed' || ofParts });
      const done = await this.runs.finish(manager, run, end, await this.failingOf(manager, run));
      if (!done) return undefined;
      if (learned) await this.parts.noteShapes(manager, run.connectionId, learned, shapesOf(done));
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
      const more = end.status === 'succeeded' && learned ? await this.goOn(manager, run, learned.more) : false;
      const event = end.status === 'cancelled' ? undefined : this.eventOf(done, end);
      if (event) await this.outbox.add(manager, [event]);
      return { followed: followed || more, event, done };
    });
    if (!finished) return;
    const { provider, type, startedAt, finishedAt } = finished.done;
    syncRuns.inc({ provider, type, status: end.status });
    if (startedAt && finishedAt)
      syncRunSeconds.observe({ provider, type }, Math.max(0, finishedAt.getTime() - startedAt.getTime()) / 1_000);
    if (end.status === 'paused' || end.status === 'succeeded') await this.schedules.succeeded(run.connectionId);
    if (end.status === 'failed' && !ofParts) await this.schedules.failed(run.connectionId);
    if (finished.followed) this.service.wake();
    if (finished.event) this.events.emit(finished.event);
  }

  /** What there is to read beside changes is read by a run of its own, after whatever else is due. */
  private async goOn(manager: EntityManager, { connectionId }: SyncRun, resources: readonly string[]): Promise<boolean> {
    if (resources.length === 0) return false;
    await this.service.request(connectionId, { type: 'incremental', trigger: 'schedule', resources, priority: LAST }, manager);
    return true;
  }

  /** The parts of what the run was about that cannot be read, whether it tried them or not. */
  private async failingOf(manager: EntityManager, { connectionId, resources }: SyncRun): Promise<PartView[]> {
    const known = [...(await this.parts.known(connectionId, manager)).values()];
    return known.filter((part) => part.failures > 0 && (resources.length === 0 || resources.includes(part.resource))).map(partView);
  }

  private eventOf(
    { id: runId, counts, type, trigger, finishedAt, tenant, provider, connectionId }: SyncRun,
    end: RunEnd,
  ): IntegrationEvent {
    return {
      type: end.status === 'succeeded' ? 'sync.completed' : 'sync.failed',
      tenant,
      provider,
      connectionId,
      at: finishedAt as Date,
      data: { runId, type, trigger, counts, ...(end.error && { error: end.error }) },
    };
  }
}

/** By `partKey`. */
function shapesOf({ shapeErrors }: SyncRun): ReadonlyMap<string, PartShapeErrors> {
  return new Map(shapeErrors.map((part) => [partKey({ ...part, whole: false }), part]));
}
