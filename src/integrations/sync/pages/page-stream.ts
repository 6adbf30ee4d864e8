import { setImmediate as nextTurn } from 'node:timers/promises';
import type { z } from 'zod';
import type { Extent, SyncPage } from '../../contract';
import { recordBatch, type RecordBatch } from '../records/record-batch';

export interface ArrivedPage {
  readonly page: SyncPage;
  /** Of its records, made as soon as the page was there: the database may still be busy with the one before. */
  readonly batch: RecordBatch;
  /** Known to be the last one. False: it may be or not. */
  readonly last: boolean;
  /** With the last page of a full walk: whether it met everything there is. */
  readonly extent?: Extent;
}

/**
 * After so many pages the next one is fetched while the last is stored. Before that it is not: a walk of a few pages gains little,
 * and what was fetched ahead is fetched again after a crash.
 */
export const FETCH_AHEAD_AFTER = 10;

/**
 * The pages of a walk, one after the other. A page without a checkpoint is handed on only when it is known whether another one
 * follows: so the last page and the walk's end are stored together. Returns what the walk said of itself.
 */
export async function* pageStream(
  pages: AsyncIterable<SyncPage>,
  signal: AbortSignal,
  shape?: z.ZodType,
): AsyncGenerator<ArrivedPage, Extent | undefined, void> {
  const iterator = pages[Symbol.asyncIterator]();
  let ahead: Promise<Fetched> | undefined;
  const interruptible = new Interruptible(signal);
  let ended = false;
  const next = (ready?: Promise<void>) => {
    const result = interruptible.wait(async () => {
      await ready;
      return ended ? END : fetched(await iterator.next(), shape);
    });
    result.catch(() => undefined); // reported when it is awaited; nobody awaits it when the walk ends before
    return result;
  };
  try {
    let arrived = await next();
    for (let count = 1; arrived.page; count++) {
      const { page, batch }: PageThere = arrived;
      if (page.checkpoint === undefined) {
        arrived = await next();
        yield { page, batch, last: !arrived.page, ...(!arrived.page && arrived.extent && { extent: arrived.extent }) };
        continue;
      }
      // In the next turn of the event loop: by then the database has its statement, and works on it while the request is written.
      if (count > FETCH_AHEAD_AFTER) ahead = next(nextTurn());
      yield { page, batch, last: false };
      arrived = await (ahead ?? next());
      ahead = undefined;
    }
    return arrived.extent;
  } finally {
    ended = true;
    interruptible.release();
    // Not awaited: a generator that is waiting for the network returns only when that ends; its signal is aborted with the run.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

type PageThere = Pick<ArrivedPage, 'page' | 'batch'>;
type Fetched = PageThere | { readonly page?: undefined; readonly extent?: Extent };
const END: Fetched = {};

function fetched(result: IteratorResult<SyncPage, Extent | undefined>, shape: z.ZodType | undefined): Fetched {
  if (!result.done) return { page: result.value, batch: recordBatch(result.value.records, shape) };
  return result.value ? { extent: result.value } : END;
}

/**
 * Ends the wait for a page when the signal is aborted, so that a provider that does not look at its signal holds nobody up. Not by
 * `Promise.race` with a promise for the abort: that would keep every page of a walk in memory until the abort's promise is gone.
 */
class Interruptible {
  private interrupt: (reason: unknown) => void = () => undefined;
  private readonly onAbort = () => this.interrupt(this.signal.reason);

  constructor(private readonly signal: AbortSignal) {
    signal.addEventListener('abort', this.onAbort, { once: true });
  }

  /** One wait at a time. */
  wait<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.signal.throwIfAborted();
      this.interrupt = reject;
      work().then(resolve, reject);
    });
  }

  release(): void {
    this.signal.removeEventListener('abort', this.onAbort);
  }
}
