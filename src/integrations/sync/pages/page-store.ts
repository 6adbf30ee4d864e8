import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { asStorageError, inTransaction, prepared, retried } from '../../../database';
import { IntegrationError } from '../../../errors';
import type { Extent, SyncPage } from '../../contract';
import { LeaseLostError } from '../../jobs';
import { RecordChangeEvents } from '../records/record-change-events';
import type { ArrivedPage } from './page-stream';
import { STORE_NEW_PAGE, STORE_PAGE, STORE_SAME_PAGE } from './page.queries';
import { textsOf, type RecordBatch } from '../records/record-batch';
import { addCounts, countsOf, NO_COUNTS, RecordStore, type CountsRow, type RecordCounts, type RecordPlace } from '../records/record-store';
import type { SyncRun } from '../runs/sync-run';
import { SyncRunRepository } from '../runs/sync-run.repository';
import { WalkRepository, type Walk } from './walk.repository';

/** A run that is not this claim's any more: lost to another process, or cancelled. Nothing was written. */
export class RunLostError extends LeaseLostError {
  override readonly name = 'RunLostError';
}

/** A sweep that would remove more than this share of a partition, and more than so many records, waits for a confirmation. */
export const SHRINK_GUARD = { share: 0.5, records: 20 } as const;

export interface StoredPage {
  readonly counts: RecordCounts;
  /** Set with the last page: `blocked` when the sweep waits for a confirmation. */
  readonly end?: 'done' | 'blocked';
}

/** A page of which every record was the same case. */
export type UniformPage = 'created' | 'unchanged';

type Progress = Omit<SyncPage, 'records'> & { readonly fetched: number };

/** Every step of a run that must not be split by a crash, each in one transaction that first makes sure the run is still ours. */
@Injectable()
export class PageStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly runs: SyncRunRepository,
    private readonly walks: WalkRepository,
    private readonly records: RecordStore,
    private readonly changes: RecordChangeEvents,
  ) {}

  async begin(run: SyncRun, place: RecordPlace, mode: Walk['mode'], options: { dropCursor?: boolean } = {}): Promise<Walk> {
    return this.step(run, (manager) => this.walks.begin(manager, place, run.id, mode, options));
  }

  /**
   * The page's records and where to go on after it; with the last page also the sweep and the cursor.
   * `previous`: what all records of the page before were. As a rule they are it again, and that costs less.
   */
  async store(
    run: SyncRun,
    place: RecordPlace,
    walk: Walk,
    { page, batch, last, extent }: ArrivedPage,
    previous?: UniformPage,
  ): Promise<StoredPage> {
    const { met = [] } = page;
    const { walkId } = walk;
    // By itself and before the page: met twice, after a crash in between, is met.
    if (met.length > 0 && walkId) await this.step(run, (manager) => this.walks.meet(manager, place, walkId, met));
    const progress = { ...page, fetched: page.records.length };
    const { shapeErrors } = batch;
    if (!last && !shapeErrors) {
      const wanted = await this.changes.wanted(this.dataSource, run.tenant);
      if (previous && !batch.deleted && !batch.partOf && !(wanted && previous === 'created')) {
        if (await this.retried(() => this.storeUniform(previous, run, place, batch, progress)))
          return { counts: { ...NO_COUNTS, [previous]: batch.size } };
      }
      const counts = wanted ? undefined : await this.retried(() => this.storeInOne(this.dataSource, run, place, batch, progress));
      if (counts) return { counts };
      // Somebody wrote while the statement waited for its turn: in a transaction the turn comes first.
    }
    return this.step(run, async (manager) => {
      const before = await this.changes.position(manager, run);
      let counts: RecordCounts;
      let end: StoredPage['end'];
      if (last) {
        const swept = await this.end(manager, run, place, walk, extent, page.cursor, await this.records.applyLocked(manager, place, batch));
        ({ counts, end } = swept);
        await this.count(manager, run, counts, progress);
      } else {
        const stored = await this.storeInOne(manager, run, place, batch, progress);
        if (!stored) throw new IntegrationError('internal_error'); // the turn is ours: nobody can have been there
        counts = stored;
      }
      if (shapeErrors) await this.runs.noteShapeErrors(manager, run, place, shapeErrors);
      await this.changes.tell(manager, run, place.resource, before, counts);
      return { counts, end };
    });
  }

  /** The end of a walk whose last page was stored before it was known to be the last. */
  async finish(run: SyncRun, place: RecordPlace, walk: Walk, extent: Extent | undefined): Promise<StoredPage> {
    return this.step(run, async (manager) => {
      const before = await this.changes.position(manager, run);
      const swept = await this.end(manager, run, place, walk, extent, undefined);
      await this.count(manager, run, swept.counts, { fetched: 0 });
      await this.changes.tell(manager, run, place.resource, before, swept.counts);
      return swept;
    });
  }

  /**
   * Removes the records of a partition that the provider no longer has. @returns undefined when that needs a confirmation first: where it
   * is only missing (`isTold`: the provider says that it is gone) and would take most of the records with it
   */
  async removePartition(run: SyncRun, place: RecordPlace, { isTold = false } = {}): Promise<RecordCounts | undefined> {
    return this.step(run, async (manager) => {
      const live = await this.records.live(manager, place);
      if (live.length > SHRINK_GUARD.records && !run.confirmed && !isTold) {
        const all = await this.records.countLive(manager, { connectionId: place.connectionId, resource: place.resource });
        if (live.length > all * SHRINK_GUARD.share) return undefined;
      }
      const before = await this.changes.position(manager, run);
      const counts = await this.records.removeLocked(manager, place, live);
      await this.walks.remove(manager, place);
      await this.count(manager, run, counts, { fetched: 0 });
      await this.changes.tell(manager, run, place.resource, before, counts);
      return counts;
    });
  }

  private async end(
    manager: EntityManager,
    run: SyncRun,
    place: RecordPlace,
    walk: Walk,
    extent: Extent | undefined,
    cursor: unknown,
    counts = NO_COUNTS,
  ): Promise<Required<StoredPage>> {
    const gone =
      walk.mode === 'full' && walk.walkId && extent?.complete
        ? await this.records.unseen(manager, place, { walkId: walk.walkId, floorChange: walk.floorChange })
        : [];
    const blocked =
      gone.length > SHRINK_GUARD.records &&
      !run.confirmed &&
      gone.length > (await this.records.countLive(manager, place)) * SHRINK_GUARD.share;
    const removed = await this.records.removeLocked(manager, place, blocked ? [] : gone);
    const end = blocked ? 'blocked' : 'done';
    await this.walks.finish(manager, place, end, cursor);
    return { counts: addCounts(counts, removed), end };
  }

  /** A page without a checkpoint leaves the last one: it is fetched again if the run ends here. @returns undefined when nothing was written */
  private async storeInOne(
    db: DataSource | EntityManager,
    run: SyncRun,
    place: RecordPlace,
    batch: RecordBatch,
    page: Progress,
  ): Promise<RecordCounts | undefined> {
    const params = [
      ...this.records.comparisonParams(place, batch),
      textsOf(batch),
      batch.deleted,
      batch.partOf,
      batch.required,
      ...progressParams(run, page),
    ];
    const [stored] = await prepared<CountsRow & { held: number; passed: number }>(db, 'sync_store_page', STORE_PAGE, params);
    if (!stored?.held) throw lost(run);
    return stored.passed ? countsOf(stored) : undefined;
  }

  /** @returns false when the page is otherwise, or somebody wrote meanwhile; nothing was written then */
  private async storeUniform(as: UniformPage, run: SyncRun, place: RecordPlace, batch: RecordBatch, page: Progress): Promise<boolean> {
    const created = as === 'created';
    const name = created ? 'sync_store_new_page' : 'sync_store_same_page';
    const texts = created ? [textsOf(batch)] : [];
    const params = [...this.records.comparisonParams(place, batch), ...texts, ...progressParams(run, page)];
    const sql = created ? STORE_NEW_PAGE : STORE_SAME_PAGE;
    const [stored] = await prepared<{ held: number; passed: number }>(this.dataSource, name, sql, params);
    if (!stored?.held) throw lost(run);
    return stored.passed > 0;
  }

  private async retried<T>(statement: () => Promise<T>): Promise<T> {
    return retried(statement).catch((error: unknown) => {
      throw asStorageError(error);
    });
  }

  /** A page is progress: the tries are counted anew. */
  private async count(
    manager: EntityManager,
    run: SyncRun,
    counts: RecordCounts,
    page: { fetched: number; total?: number },
  ): Promise<void> {
    await manager.query(
      `UPDATE sync_runs SET fetched = fetched + $2, created = created + $3, updated = updated + $4, unchanged = unchanged + $5, deleted = deleted + $6,
         total = coalesce($7, total), attempts = 1, error_code = NULL, error_message = NULL WHERE id = $1`,
      [run.id, page.fetched, counts.created, counts.updated, counts.unchanged, counts.deleted, page.total ?? null],
    );
  }

  /** The connection's turn first, then the run: the order of locks everywhere. */
  private async step<T>(run: SyncRun, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return inTransaction(this.dataSource, async (manager) => {
      if (!(await this.runs.hold(manager, run))) throw lost(run);
      return work(manager);
    });
  }
}

function lost(run: SyncRun): RunLostError {
  return new RunLostError(`run ${run.id} is no longer held`);
}

/** The last params of the statements that store a page. */
function progressParams(run: SyncRun, page: Progress): unknown[] {
  return [run.id, run.fence, page.fetched, page.total ?? null, json(page.checkpoint), json(page.cursor)];
}

function json(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
