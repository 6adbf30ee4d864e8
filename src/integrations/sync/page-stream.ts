import type { SyncPage } from '../provider';

export interface ArrivedPage {
  readonly page: SyncPage;
  /** Known to be the last one. False: it may be or not. */
  readonly last: boolean;
}

/**
 * After so many pages the next one is fetched while the last is stored. Before that it is not: a walk of a few pages gains little,
 * and what was fetched ahead is fetched again after a crash.
 */
export const FETCH_AHEAD_AFTER = 10;

/**
 * The pages of a walk, one after the other. A page without a checkpoint is handed on only when it is known whether another one
 * follows: so the last page and the walk's end are stored together.
 */
export async function* pageStream(pages: AsyncIterable<SyncPage>, signal: AbortSignal): AsyncGenerator<ArrivedPage, void, void> {
  const iterator = pages[Symbol.asyncIterator]();
  let ahead: Promise<IteratorResult<SyncPage>> | undefined;
  const stopped = rejectionOf(signal);
  const next = () => {
    const result = Promise.race([iterator.next(), stopped.promise]);
    result.catch(() => undefined); // reported when it is awaited; nobody awaits it when the walk ends before
    return result;
  };
  try {
    let arrived = await next();
    for (let count = 1; !arrived.done; count++) {
      const page = arrived.value;
      if (page.checkpoint === undefined || count > FETCH_AHEAD_AFTER) ahead = next();
      if (page.checkpoint === undefined) {
        arrived = await (ahead as Promise<IteratorResult<SyncPage>>);
        ahead = undefined;
        yield { page, last: arrived.done === true };
        continue;
      }
      yield { page, last: false };
      arrived = await (ahead ?? next());
      ahead = undefined;
    }
  } finally {
    stopped.release();
    // Not awaited: a generator that is waiting for the network returns only when that ends; its signal is aborted with the run.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
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
