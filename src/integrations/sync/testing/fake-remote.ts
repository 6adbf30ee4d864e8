import { IntegrationError } from '../../../errors';
import type { Extent, ProviderSync, SyncContext, SyncPage, SyncRecord, SyncResource, WatchFacts } from '../../contract';

interface RemoteChange {
  readonly no: number;
  readonly id: string;
}

/** One list at the remote, with a log of its changes, as a calendar has. */
export class RemoteList {
  readonly items = new Map<string, { value: unknown; version: number }>();
  readonly log: RemoteChange[] = [];
  /** Cursors below this are not known any more; of a list of the same name that was there before, none is. */
  forgottenUntil: number;

  constructor(private readonly clock: { changes: number }) {
    this.forgottenUntil = ++clock.changes;
  }

  put(id: string, value: unknown): void {
    this.items.set(id, { value, version: ++this.clock.changes });
    this.log.push({ no: this.clock.changes, id });
  }

  remove(id: string): void {
    if (!this.items.delete(id)) return;
    this.log.push({ no: ++this.clock.changes, id });
  }

  get head(): number {
    return this.clock.changes;
  }

  /** What stands behind every cursor given so far is thrown away. */
  forgetCursors(): void {
    this.forgottenUntil = ++this.clock.changes;
  }
}

export interface PageRequest {
  readonly partition: string;
  readonly mode: 'full' | 'incremental';
  readonly from: string;
  readonly signal: AbortSignal;
}

/**
 * A remote that a test writes to and a sync reads from: pages in the order of ids, a cursor that is the head when the walk
 * began, deletions in the increments. It keeps its own ledger of the pages that it was asked for.
 */
export class FakeRemote {
  readonly lists = new Map<string, RemoteList>();
  readonly ledger: PageRequest[] = [];
  readonly watches = new Map<string, { partition: string; token: string; address: string; remoteId: string; stopped: boolean }>();
  private readonly clock = { changes: 0 };
  pageSize = 10;
  /** Lists that it tells to be gone, and whether it lists all that there are. */
  gone: readonly string[] = [];
  extent: Extent = { complete: true };
  /** Whether records carry their version. */
  versions = true;
  /** Called before each page is answered; may throw, wait or change the remote. */
  beforePage: (request: PageRequest) => Promise<void> | void = () => undefined;
  /** ms that a watch lives. */
  watchTtlMs = 7 * 86_400_000;

  list(partition = ''): RemoteList {
    const list = this.lists.get(partition) ?? new RemoteList(this.clock);
    this.lists.set(partition, list);
    return list;
  }

  /** As a provider's sync service: the resource `items`, or `events` with a partition for each list. */
  sync({ partitioned = false, watch = false, incremental = true, checkpoints = true } = {}): ProviderSync {
    const resource: SyncResource = {
      name: 'items',
      label: 'Items',
      ...(partitioned && {
        partitions: () => Promise.resolve({ names: [...this.lists.keys()], gone: this.gone, ...this.extent }),
      }),
      full: (context) => this.full(context, checkpoints),
      ...(incremental && { incremental: (context) => this.incremental(context) }),
      ...(watch && { watch: this.watchFacts() }),
    };
    return { resources: [resource] };
  }

  private async *full(context: SyncContext, checkpoints: boolean): AsyncGenerator<SyncPage, Extent, void> {
    const list = this.list(context.partition);
    const resumed = context.checkpoint as { after: string; head: number } | undefined;
    const head = resumed?.head ?? list.head;
    let after = resumed?.after ?? '';
    for (;;) {
      await this.asked(context, 'full', after);
      const ids = [...list.items.keys()].filter((id) => id > after).sort();
      const page = ids.slice(0, this.pageSize);
      const records = page.map((id) => this.record(list, id));
      if (ids.length <= this.pageSize) {
        yield { records, cursor: { head }, total: list.items.size };
        return { complete: true };
      }
      after = page.at(-1) as string;
      yield { records, ...(checkpoints && { checkpoint: { after, head } }), total: list.items.size };
    }
  }

  private async *incremental(context: SyncContext & { readonly cursor: unknown }): AsyncIterable<SyncPage> {
    const list = this.list(context.partition);
    const { head: since } = context.cursor as { head: number };
    const head = (context.checkpoint as { head: number } | undefined)?.head ?? list.head;
    let from = (context.checkpoint as { no: number } | undefined)?.no ?? since;
    for (;;) {
      await this.asked(context, 'incremental', String(from));
      if (since < list.forgottenUntil) throw new IntegrationError('sync_cursor_expired');
      const changes = list.log.filter(({ no }) => no > from && no <= head);
      const page = changes.slice(0, this.pageSize);
      const records = [...new Set(page.map(({ id }) => id))].map((id) => this.record(list, id));
      if (changes.length <= this.pageSize) {
        yield { records, cursor: { head } };
        return;
      }
      from = (page.at(-1) as RemoteChange).no;
      yield { records, checkpoint: { no: from, head } };
    }
  }

  private record(list: RemoteList, id: string): SyncRecord {
    const item = list.items.get(id);
    if (!item) return { id, deleted: true, ...(this.versions && { version: list.head }) };
    return { id, data: item.value, ...(this.versions && { version: item.version }) };
  }

  private async asked(context: SyncContext, mode: PageRequest['mode'], from: string): Promise<void> {
    context.signal.throwIfAborted();
    const request = { partition: context.partition, mode, from, signal: context.signal };
    this.ledger.push(request);
    await this.beforePage(request);
  }

  private watchFacts(): WatchFacts {
    return {
      renewBeforeMs: 86_400_000,
      create: ({ partition, channelId, token, address, now }) => {
        const remoteId = `remote-${channelId}`;
        this.watches.set(channelId, { partition, token, address, remoteId, stopped: false });
        return Promise.resolve({ remoteId, expiresAt: now() + this.watchTtlMs });
      },
      stop: ({ channelId }) => {
        const watch = this.watches.get(channelId);
        if (watch) watch.stopped = true;
        return Promise.resolve();
      },
    };
  }
}
