import { DataSource, EntitySchema } from 'typeorm';
import type { Item, PagedList } from '../lib/paged-list';

interface Stored {
  readonly connectionId: string;
  readonly externalId: string;
  readonly data: object;
  readonly syncedAt: Date;
}

const StoredItem = new EntitySchema<Stored>({
  name: 'RivalItem',
  tableName: 'rival_items',
  columns: {
    connectionId: { name: 'connection_id', type: 'text', primary: true },
    externalId: { name: 'external_id', type: 'text', primary: true },
    data: { type: 'jsonb' },
    syncedAt: { name: 'synced_at', type: 'timestamptz' },
  },
});

/** B4's rivals: the same pages, stored as a service without a sync engine stores them, through TypeORM's repository. */
export class OrmUpsert {
  private constructor(private readonly dataSource: DataSource) {}

  static async open(url: string): Promise<OrmUpsert> {
    const dataSource = await new DataSource({ type: 'postgres', url, entities: [StoredItem], installExtensions: false }).initialize();
    await dataSource.query(
      'CREATE TABLE rival_items (connection_id text, external_id text, data jsonb NOT NULL, synced_at timestamptz NOT NULL, PRIMARY KEY (connection_id, external_id))',
    );
    return new OrmUpsert(dataSource);
  }

  /** Fetches pages and stores each with one call, or each item with one. @returns how many items were stored */
  async sync(list: PagedList, pageSize: number, { most, each }: { most: number; each: 'page' | 'item' }): Promise<number> {
    const repository = this.dataSource.getRepository(StoredItem);
    const keys = ['connectionId', 'externalId'];
    let stored = 0;
    for (let after: number | null = 0; after !== null && stored < most;) {
      const { items, next } = await list.page(after, pageSize);
      if (each === 'page') await repository.upsert(items.map(row), keys);
      else for (const item of items) await repository.upsert(row(item), keys);
      stored += items.length;
      after = next;
    }
    return stored;
  }

  async empty(): Promise<void> {
    await this.dataSource.query('TRUNCATE rival_items');
  }

  close(): Promise<void> {
    return this.dataSource.destroy();
  }
}

function row(item: Item): Stored {
  return { connectionId: 'c1', externalId: item.id, data: item, syncedAt: new Date() };
}
