import { Inject, Injectable } from '@nestjs/common';
import { CLOCK, type Clock } from '../../../clock';
import { findIntegrationError, IntegrationError } from '../../../errors';
import { GovernedHttp } from '../../connections';
import type { ConnectionRef, Extent, PartitionList, SyncContext, SyncPage, SyncResource } from '../../contract';
import { PageStore, type UniformPage } from './page-store';
import { pageStream } from './page-stream';
import { addCounts, NO_COUNTS, type RecordCounts, type RecordPlace } from '../records/record-store';
import { isPartial, syncError } from '../runs/run-policy';
import type { SyncRun } from '../runs/sync-run';
import { WalkRepository, type Walk } from './walk.repository';

export interface PageProgress {
  readonly resource: string;
  readonly partition: string;
  readonly fetched: number;
  readonly total?: number;
  readonly counts: RecordCounts;
}

export interface WalkJob {
  readonly run: SyncRun;
  readonly connection: ConnectionRef;
  readonly signal: AbortSignal;
  /** Called after each commit. */
  onPage(progress: PageProgress): void;
  /** Told of each wait for another try of a call. */
  onWait(error: IntegrationError, waitMs: number): void;
}

export interface ResourceOutcome {
  readonly partitions: readonly string[];
  /** Partitions whose sweep waits for a confirmation. */
  readonly blocked: readonly string[];
  /** The partitions that could not be read, and why: the rest went on. */
  readonly unreadable: ReadonlyMap<string, IntegrationError>;
  /** The partitions that were not tried. */
  readonly left: readonly string[];
  /** What the list of partitions leaves out, in words; null where it is complete. */
  readonly extent: string | null;
  /** The same of the partitions that were walked from end to end. */
  readonly extents: ReadonlyMap<string, string | null>;
  /** Partitions of which this run met all that there is. */
  readonly walked: ReadonlySet<string>;
  /** There is more to read than what changed. */
  readonly more: boolean;
}

/** How the walk of a partition ended, and, of a full one, what its list leaves out. */
interface WalkEnd {
  readonly end: 'done' | 'blocked';
  readonly extent?: string | null;
  readonly more?: boolean;
  readonly mode?: Walk['mode'];
}

interface StartedWalk extends Walk {
  readonly cursor: unknown;
  /** A walk before this one came to its end. */
  readonly again: boolean;
}

/** A provider that loses its place again and again is at fault itself. */
const MAX_RESTARTS = 2;

/** Walks one resource: its partitions, one after the other, page by page. */
@Injectable()
export class ResourceWalker {
  constructor(
    private readonly pages: PageStore,
    private readonly walks: WalkRepository,
    @Inject(GovernedHttp) private readonly http: Pick<GovernedHttp, 'fetchFor'>,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @param waits partitions that are not to be tried in this run */
  async walk(job: WalkJob, resource: SyncResource, waits: (partition: string) => boolean = () => false): Promise<ResourceOutcome> {
    const listed: PartitionList = resource.partitions
      ? await resource.partitions(this.context(job, '', undefined))
      : { names: [''], complete: true };
    const partitions = [...new Set(listed.names)];
    const blocked = await this.sweepVanished(job, resource, listed);
    const left = partitions.filter(waits);
    const unreadable = new Map<string, IntegrationError>();
    const extents = new Map<string, string | null>();
    const walked = new Set<string>();
    let goesOn = false;
    for (const partition of partitions.filter((name) => !left.includes(name))) {
      try {
        const { end, extent, mode, more = false } = await this.walkPartition(job, resource, partition);
        if (end === 'blocked') blocked.push(partition);
        goesOn ||= more;
        if (extent !== undefined) extents.set(partition, extent);
        if (mode === 'full') walked.add(partition);
      } catch (error) {
        const known = syncError(error);
        if (job.signal.aborted || !isPartial(known)) throw error;
        unreadable.set(partition, known);
      }
    }
    return { partitions, blocked, unreadable, left, extent: inWords(listed), extents, walked, more: goesOn };
  }

  context(job: Pick<WalkJob, 'connection' | 'signal' | 'onWait'>, partition: string, checkpoint: unknown): SyncContext {
    const { connection, signal, onWait } = job;
    return {
      connection,
      fetch: this.http.fetchFor(connection, { signal, onWait, operation: 'sync' }),
      partition,
      checkpoint,
      signal,
      now: () => this.clock.now(),
    };
  }

  /** An incremental run leaves a doubtful removal to the next full one, which asks for a confirmation. */
  private async sweepVanished(job: WalkJob, resource: SyncResource, listed: PartitionList): Promise<string[]> {
    const { names, complete, gone = [] } = listed;
    const blocked: string[] = [];
    const known = await this.walks.partitions(job.run.connectionId, resource.name);
    for (const partition of known.filter((name) => !names.includes(name) && (complete || gone.includes(name)))) {
      const counts = await this.pages.removePartition(job.run, place(job, resource, partition), { isTold: gone.includes(partition) });
      if (counts) job.onPage({ resource: resource.name, partition, fetched: 0, counts });
      else if (job.run.type === 'full') blocked.push(partition);
    }
    return blocked;
  }

  private async walkPartition(job: WalkJob, resource: SyncResource, partition: string): Promise<WalkEnd> {
    const { run } = job;
    const at = place(job, resource, partition);
    const stored = await this.walks.find(at);
    const mine = stored.runId === run.id;
    if (mine && stored.state === 'done') return { end: 'done' };
    if (mine && stored.state === 'blocked' && !run.confirmed) return { end: 'blocked' };

    const incremental = run.type === 'incremental' && resource.incremental !== undefined && stored.cursor !== null;
    let walk = (mine ? stored.walk : undefined) ?? (await this.pages.begin(run, at, incremental ? 'incremental' : 'full'));
    let { cursor } = stored;
    const again = cursor !== null;
    for (let restarts = 0; ; restarts++) {
      try {
        return await this.walkPages(job, resource, at, { ...walk, cursor, again });
      } catch (error) {
        if (findIntegrationError(error)?.code !== 'sync_cursor_expired' || job.signal.aborted || restarts >= MAX_RESTARTS) throw error;
        // The records stay as they are, and readable, until the full walk has met them again.
        walk = await this.pages.begin(run, at, 'full', { dropCursor: true });
        cursor = null;
      }
    }
  }

  private async walkPages(job: WalkJob, resource: SyncResource, at: RecordPlace, walk: StartedWalk): Promise<WalkEnd> {
    let previous: UniformPage | undefined;
    const { mode } = walk;
    let more = false;
    const stream = pageStream(this.source(job, resource, at, walk), job.signal, resource.shape);
    let next = await stream.next();
    try {
      for (; !next.done; next = await stream.next()) {
        const { page, batch } = next.value;
        const { counts, end } = await this.pages.store(job.run, at, walk, next.value, previous);
        previous = uniform(counts, batch.size);
        job.onPage({ resource: resource.name, partition: at.partition, fetched: page.records.length, total: page.total, counts });
        job.signal.throwIfAborted();
        more = page.more ?? false;
        if (end) return { end, mode, more, ...extentOf(next.value.extent) };
      }
    } finally {
      await stream.return(undefined);
    }
    const { counts, end } = await this.pages.finish(job.run, at, walk, next.value);
    job.onPage({ resource: resource.name, partition: at.partition, fetched: 0, counts: addCounts(NO_COUNTS, counts) });
    return { end: end ?? 'done', mode, more, ...extentOf(next.value) };
  }

  private source(
    job: WalkJob,
    resource: SyncResource,
    at: RecordPlace,
    { mode, checkpoint, cursor, again }: StartedWalk,
  ): AsyncIterable<SyncPage> {
    const context = this.context(job, at.partition, checkpoint);
    return mode === 'incremental' && resource.incremental
      ? resource.incremental({ ...context, cursor })
      : resource.full({ ...context, previous: cursor, again });
  }
}

function place(job: WalkJob, resource: SyncResource, partition: string): RecordPlace {
  return { connectionId: job.run.connectionId, resource: resource.name, partition };
}

/** @returns null where everything is in it, and held */
function inWords(extent: Extent): string | null {
  return extent.complete ? (extent.holds ?? null) : extent.why;
}

function extentOf(extent: Extent | undefined): Pick<WalkEnd, 'extent'> {
  return extent ? { extent: inWords(extent) } : {};
}

function uniform({ created, unchanged }: RecordCounts, size: number): UniformPage | undefined {
  if (unchanged === size) return 'unchanged';
  return created === size ? 'created' : undefined;
}
