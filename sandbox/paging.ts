/** A page of a list, from a place on; `next` is where the one after it begins, if there is one. */
export function pageFrom<T>(items: readonly T[], start: number, size: number): { items: T[]; next?: number } {
  const page = items.slice(start, start + size);
  return start + size < items.length ? { items: page, next: start + size } : { items: page };
}
