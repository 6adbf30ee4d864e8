import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { inTransaction } from '../../database';
import type { SyncPage } from '../provider';
import { recordBatch } from './record-batch';
import { addCounts, NO_COUNTS, RecordStore, type RecordCounts, type RecordPlace } from './record-store';
import type { SyncRun } from './sync-run';
import { SyncRunRepository } from './sync-run.repository';
import { WalkRepository, type Walk } from './walk.repository';

/** A run that is not this claim's any more: lost to another process, or cancelled. Nothing was written. */
export class RunLostError extends Error {
  override readonly name = 'RunLostError';
}

/** A sweep that would remove more than this share of a partition, and more than so many records, waits for a confirmation. */
export const SHRINK_GUARD = { share: 0.5, records: 20 } as const;

const NOTE_PAGE = `
WITH place AS (
  UPDATE sync_cursors SET checkpoint = coalesce($11::jsonb, checkpoint), pending_cursor = coalesce($12::jsonb, pending_cursor), updated_at = now()
  WHERE connection_id = $8 AND resource = $9 AND partition = $10 AND ($11::jsonb IS NOT NULL OR $12::jsonb IS NOT NULL)
)
UPDATE sync_runs SET fetched = fetched + $2, created = created + $3, updated = updated + $4, unchanged = unchanged + $5, deleted = deleted + $6,
  total = coalesce($7, total), attempts = 1 WHERE id = $1`;

export interface StoredPage {
  readonly counts: RecordCounts;
  /** Set with the last page: `blocked` when the sweep waits for a confirmation. */
  readonly end?: 'done' | 'blocked';
}

/** Every step of a run that must not be split by a crash, each in one transaction that first makes sure the run is still ours. */
@Injectable()
export class PageStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly runs: SyncRunRepository,
    private readonly walks: WalkRepository,
    private readonly records: RecordStore,
  ) {}

  async begin(run: SyncRun, place: RecordPlace, mode: Walk['mode'], options: { dropCursor?: boolean } = {}): Promise<Walk> {
    return this.step(run, (manager) => this.walks.begin(manager, place, run.id, mode, options));
  }

  /** The page's records and where to go on after it; with the last page also the sweep and the cursor. */
  async store(run: SyncRun, place: RecordPlace, walk: Walk, page: SyncPage, { last }: { last: boolean }): Promise<StoredPage> {
    const batch = recordBatch(page.records); // hashed before the transaction opens
    return this.step(run, async (manager) => {
      let counts = await this.records.applyLocked(manager, place, batch);
      let end: StoredPage['end'];
      if (last) {
        const swept = await this.end(manager, run, place, walk, page.cursor);
        counts = addCounts(counts, swept.counts);
        end = swept.end;
      }
      await this.note(manager, run, place, counts, last ? { fetched: page.records.length, total: page.total } : { ...page, fetched: page.records.length });
      return { counts, end };
    });
  }

  /** The end of a walk whose last page was stored before it was known to be the last. */
  async finish(run: SyncRun, place: RecordPlace, walk: Walk): Promise<StoredPage> {
    return this.step(run, async (manager) => {
      const swept = await this.end(manager, run, place, walk, undefined);
      await this.note(manager, run, place, swept.counts, { fetched: 0 });
      return swept;
    });
  }

  /** Removes the records of a partition that the provider no longer has. @returns undefined when that needs a confirmation first */
  async removePartition(run: SyncRun, place: RecordPlace): Promise<RecordCounts | undefined> {
    return this.step(run, async (manager) => {
      const live = await this.records.live(manager, place);
      if (live.length > SHRINK_GUARD.records && !run.confirmed) {
        const all = await this.records.countLive(manager, { connectionId: place.connectionId, resource: place.resource });
        if (live.length > all * SHRINK_GUARD.share) return undefined;
      }
      const counts = { ...NO_COUNTS, deleted: await this.records.removeLocked(manager, place, live) };
      await this.walks.remove(manager, place);
      await this.note(manager, run, place, counts, { fetched: 0 });
      return counts;
    });
  }

  private async end(manager: EntityManager, run: SyncRun, place: RecordPlace, walk: Walk, cursor: unknown): Promise<Required<StoredPage>> {
    const gone = walk.mode === 'full' && walk.walkId ? await this.records.unseen(manager, place, { walkId: walk.walkId, floorChange: walk.floorChange }) : [];
    const blocked = gone.length > SHRINK_GUARD.records && !run.confirmed && gone.length > (await this.records.countLive(manager, place)) * SHRINK_GUARD.share;
    const deleted = blocked ? 0 : await this.records.removeLocked(manager, place, gone);
    const end = blocked ? 'blocked' : 'done';
    await this.walks.finish(manager, place, end, cursor);
    return { counts: { ...NO_COUNTS, deleted }, end };
  }

  /**
   * Counts, and where to go on. A page is progress: the tries are counted anew. A page without a checkpoint leaves the last one:
   * it is fetched again if the run ends here.
   */
  private async note(
    manager: EntityManager,
    run: SyncRun,
    place: RecordPlace,
    counts: RecordCounts,
    page: Pick<SyncPage, 'checkpoint' | 'cursor' | 'total'> & { fetched: number },
  ): Promise<void> {
    await manager.query(NOTE_PAGE, [
      run.id, page.fetched, counts.created, counts.updated, counts.unchanged, counts.deleted, page.total ?? null,
      place.connectionId, place.resource, place.partition, json(page.checkpoint), json(page.cursor),
    ]);
  }

  /** The connection's turn first, then the run: the order of locks everywhere. */
  private async step<T>(run: SyncRun, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return inTransaction(this.dataSource, async (manager) => {
      if (!(await this.runs.hold(manager, run))) throw new RunLostError(`run ${run.id} is no longer held`);
      return work(manager);
    });
  }
}

function json(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
