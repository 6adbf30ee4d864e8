import type { SyncPage } from '../provider';
import { joinedBatch, recordBatch, type RecordBatch } from './record-batch';

/** Pages of a walk that followed one another, to be stored together. */
export interface ArrivedPages {
  readonly batch: RecordBatch;
  /** Records as they came; one that came twice in a page is counted twice. */
  readonly fetched: number;
  readonly total: number | undefined;
  readonly checkpoint: unknown;
  readonly cursor: unknown;
  /** Known to be the end of the walk. False: it may be or not. */
  readonly last: boolean;
}

/**
 * Further pages are fetched while earlier ones are stored: one for so many that the walk has already met. A walk of a few pages gains
 * little by it, and what was fetched ahead is fetched again after a crash: never more than this share of the walk.
 */
export const PAGES_FOR_ONE_AHEAD = 10;
/** Nothing more is fetched while so much waits to be stored. A much larger statement costs the server more for each record, not less. */
const MAX_WAITING = { records: 500, characters: 200_000 } as const;

/**
 * The pages of a walk, in their order; those that arrived while others were stored come together. A page without a checkpoint is handed
 * on only when it is known whether another one follows: so the last page and the walk's end are stored together.
 */
export async function* pageStream(pages: AsyncIterable<SyncPage>, signal: AbortSignal): AsyncGenerator<ArrivedPages, void, void> {
  const source = new PageSource(pages[Symbol.asyncIterator](), signal);
  try {
    for (;;) {
      const arrived = await source.take();
      if (!arrived) return;
      yield arrived;
    }
  } finally {
    source.close();
  }
}

type WaitingPage = Omit<ArrivedPages, 'last'>;

class PageSource {
  /** Hashed as they arrive, so that a record which is of no use is known at once and the wait for the database is used. */
  private readonly waiting: WaitingPage[] = [];
  private readonly stopped: ReturnType<typeof rejectionOf>;
  private asked: Promise<void> | undefined;
  private count = 0;
  private end: { readonly error?: unknown } | undefined;
  private closed = false;

  constructor(
    private readonly iterator: AsyncIterator<SyncPage>,
    signal: AbortSignal,
  ) {
    this.stopped = rejectionOf(signal);
  }

  /** @returns undefined after the last page */
  async take(): Promise<ArrivedPages | undefined> {
    let ready = this.ready();
    for (; ready === 0 && !this.end; ready = this.ready()) await this.ask();
    if (ready === 0) {
      if (this.end && 'error' in this.end) throw this.end.error;
      return undefined;
    }
    const together = joined(this.waiting.splice(0, ready));
    if (this.mayAsk()) void this.ask();
    return { ...together, last: this.waiting.length === 0 && this.end !== undefined && !('error' in this.end) };
  }

  close(): void {
    this.closed = true;
    this.stopped.release();
    // Not awaited: a generator that is waiting for the network returns only when that ends; its signal is aborted with the run.
    void Promise.resolve(this.iterator.return?.()).catch(() => undefined);
  }

  /** How many of the waiting pages may be stored together now. */
  private ready(): number {
    const undecided = this.waiting.at(-1)?.checkpoint === undefined && (!this.end || 'error' in this.end) ? 1 : 0;
    const most = Math.max(this.waiting.length - undecided, 0);
    if (most < 2) return most;
    // Two states of one record are stored one after the other.
    const ids = new Set<string>();
    for (let index = 0, size = 0; index < most; index++) {
      const { batch } = this.waiting[index] as WaitingPage;
      size += batch.size;
      batch.ids.forEach((id) => ids.add(id));
      if (ids.size < size) return index;
    }
    return most;
  }

  /** Asks for the next page, unless it is on its way; and goes on with those that may be fetched ahead. */
  private ask(): Promise<void> {
    this.asked ??= this.next().then((end) => {
      this.asked = undefined;
      this.end = end;
      if (this.mayAsk()) void this.ask();
    });
    return this.asked;
  }

  private async next(): Promise<{ error?: unknown } | undefined> {
    try {
      const { done, value } = await Promise.race([this.iterator.next(), this.stopped.promise]);
      if (done) return {};
      this.waiting.push(waitingPage(value));
      this.count++;
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  private mayAsk(): boolean {
    if (this.closed || this.end) return false;
    if (this.waiting.length >= Math.floor((this.count - 1) / PAGES_FOR_ONE_AHEAD)) return false;
    return (
      sum(this.waiting, ({ batch }) => batch.size) < MAX_WAITING.records &&
      sum(this.waiting, ({ batch }) => batch.texts.length) < MAX_WAITING.characters
    );
  }
}

function waitingPage({ records, total, checkpoint, cursor }: SyncPage): WaitingPage {
  return { batch: recordBatch(records), fetched: records.length, total, checkpoint, cursor };
}

function joined(pages: readonly WaitingPage[]): WaitingPage {
  return {
    batch: joinedBatch(pages.map(({ batch }) => batch)),
    fetched: sum(pages, ({ fetched }) => fetched),
    total: lastGiven(pages, ({ total }) => total),
    checkpoint: lastGiven(pages, ({ checkpoint }) => checkpoint),
    cursor: lastGiven(pages, ({ cursor }) => cursor),
  };
}

function lastGiven<T>(pages: readonly WaitingPage[], of: (page: WaitingPage) => T | undefined): T | undefined {
  return pages.map(of).findLast((value) => value !== undefined);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** Rejects when the signal is aborted, so that a provider that does not look at its signal holds nobody up. */
function rejectionOf(signal: AbortSignal): { promise: Promise<never>; release(): void } {
  let onAbort = () => undefined as void;
  const promise = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  promise.catch(() => undefined);
  return { promise, release: () => signal.removeEventListener('abort', onAbort) };
}
