import { join } from 'node:path';
import { startProcess } from '../../test/support/child-process';
import type { Extent, ProviderSync, SyncPage } from '../../src/integrations/contract';
import { governedFetch } from './governed-fetch';

export interface Item {
  readonly id: string;
}

export interface ItemPage {
  readonly items: readonly Item[];
  readonly total: number;
  readonly next: number | null;
}

/** A list at a pretended provider, read page by page over HTTP from a process of its own, through the product's way out. */
export interface PagedList {
  page(after: number, limit: number, signal?: AbortSignal): Promise<ItemPage>;
  /** As a provider would declare it. */
  sync(pageSize: number): ProviderSync;
  stop(): Promise<void>;
}

export async function startPagedList(count: number): Promise<PagedList> {
  const child = startProcess(join(__dirname, 'page-source.cjs'), [], { ITEMS: String(count) });
  const origin = `http://127.0.0.1:${await child.listening()}`;
  const out = governedFetch(origin);
  const page: PagedList['page'] = async (after, limit, signal) => {
    const answer = await out.fetch(`${origin}/items?after=${after}&limit=${limit}`, { signal });
    return (await answer.json()) as ItemPage;
  };
  const sync = (pageSize: number): ProviderSync => ({
    resources: [
      {
        name: 'items',
        label: 'Items',
        async *full({ signal, checkpoint }): AsyncGenerator<SyncPage, Extent, void> {
          let after = (checkpoint as { after: number } | undefined)?.after ?? 0;
          for (;;) {
            const { items, total, next } = await page(after, pageSize, signal);
            const records = items.map((item) => ({ id: item.id, data: item }));
            if (next === null) {
              yield { records, total, cursor: { head: total } };
              return { complete: true };
            }
            after = next;
            yield { records, total, checkpoint: { after } };
          }
        },
      },
    ],
  });
  const stop = async () => {
    await out.close();
    await child.kill();
  };
  return { page, sync, stop };
}
