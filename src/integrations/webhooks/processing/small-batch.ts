/** Whoever has no more events than this at once has no backlog. */
export const SMALL_BATCH = 8;

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
