import type { ClaimedJob } from '../../jobs';
import type { ClaimedEvent } from './claimed-event';

/**
 * Events of one claim, as one job: its id is the claim's owner, and its lease as well. Each event counts its own attempts.
 * - `batch`: claimed by the loop.
 * - `direct`: claimed with the commit that stored them.
 * - `asking`: one event whose handlers ask its provider first, which takes no place in the loop while it waits.
 * - `orphan`: one event whose worker died.
 */
export interface EventJob extends ClaimedJob {
  readonly kind: 'batch' | 'direct' | 'asking' | 'orphan';
  /** What is not done yet, in parts; each is a transaction. */
  left: readonly (readonly ClaimedEvent[])[];
  /** Of those that wait to ask: the smaller, the sooner its turn. */
  readonly rank: number;
}

/** Whoever has no more events than this at once has no backlog. */
export const SMALL_BATCH = 8;

/** @param parts of one claim */
export function eventJob(kind: EventJob['kind'], owner: string, parts: EventJob['left'], rank = 0): EventJob {
  return { id: owner, lease: owner, attempts: 1, kind, left: parts, rank };
}

/**
 * Events of one claim in the order in which they are to run: one event of a tenant does not wait for the hundred of another, and what
 * failed before does not hold up what did not. Those of tenants with few go together; those of each tenant with many by themselves, the
 * fewest first; then one by one those that failed before.
 */
export function inParts(events: readonly ClaimedEvent[], batchSize: number): ClaimedEvent[][] {
  const again = events.filter(({ attempts }) => attempts > 1);
  const fresh = events.filter(({ attempts }) => attempts === 1);
  const shares = [...groupByOwner(fresh, tenantOf).values()].sort((a, b) => a.length - b.length);
  const isSmall = ({ length }: ClaimedEvent[]) => length <= Math.min(SMALL_BATCH, batchSize / 4);
  const few = shares.filter(isSmall).flat();
  return [...(few.length > 0 ? [few] : []), ...shares.filter((share) => !isSmall(share)), ...again.map((event) => [event])];
}

/** '' stands for events of nobody. */
export function tenantOf({ tenant }: ClaimedEvent): string {
  return tenant ?? '';
}

/** What each has of it, in the order in which they come. */
export function groupByOwner<T>(items: readonly T[], ownerOf: (item: T) => string): Map<string, T[]> {
  const shares = new Map<string, T[]>();
  for (const item of items) {
    const owner = ownerOf(item);
    const share = shares.get(owner);
    if (share) share.push(item);
    else shares.set(owner, [item]);
  }
  return shares;
}
