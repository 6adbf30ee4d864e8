import type { paths } from './api-types.ts';

type Page = paths['/v1/connections/{id}/records/{resource}']['get']['responses'][200]['content']['application/json'];

export interface RecordOptions {
  /** Of the last change that was dealt with. Default: from the start. */
  readonly cursor?: string;
  /** Changes a page, 1 to 1 000. Default 100. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export type Change = Page['data'][number] & {
  /** Where to come back to once this change is dealt with; undefined within the first page of a reading from the start. */
  readonly cursor: string | undefined;
};

export type ReadPage = (query: { cursor?: string; limit?: number }, signal?: AbortSignal) => Promise<Page>;

/** Page after page, until there is no more to read. */
export async function* changes(read: ReadPage, { cursor, limit, signal }: RecordOptions): AsyncGenerator<Change, void> {
  for (let from = cursor; ;) {
    const { data, nextCursor, hasMore } = await read(
      { ...(from !== undefined && { cursor: from }), ...(limit !== undefined && { limit }) },
      signal,
    );
    for (const [index, change] of data.entries()) yield { ...change, cursor: index === data.length - 1 ? nextCursor : from };
    if (data.length === 0 || !hasMore) return;
    from = nextCursor;
  }
}
