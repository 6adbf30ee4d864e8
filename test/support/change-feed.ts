import type { ProductUser } from './product-user';

interface FeedPage {
  readonly data: readonly { readonly id: string; readonly data: unknown; readonly deleted: boolean }[];
  readonly nextCursor: string | null;
}

/** What a reader of the change feed knows at its end: live records by id, their content as text. */
export async function readFeed(user: ProductUser, connection: string, resource: string): Promise<Map<string, string>> {
  const live = new Map<string, string>();
  for (let cursor: string | null = ''; cursor !== null;) {
    const answer = await user.call(
      `/v1/connections/${connection}/records/${resource}?limit=1000${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
    );
    if (answer.status !== 200) throw new Error(`The feed of ${resource} was answered ${answer.status}.`);
    const page = answer.body as FeedPage;
    for (const { id, data, deleted } of page.data) {
      if (deleted) live.delete(id);
      else live.set(id, JSON.stringify(data));
    }
    if (page.data.length === 0) break;
    cursor = page.nextCursor;
  }
  return live;
}
