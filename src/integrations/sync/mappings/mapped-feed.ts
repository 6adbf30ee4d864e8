import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asTenant } from '../../../database';
import { tenantInHand } from '../../../http-api';
import type { Connection } from '../../connections';
import type { FeedItem } from '../feed/record-feed';
import { MappingEvaluator, type Mapped } from './mapping-evaluator';
import { mappingFailures } from './mapping-metrics';
import { MAPPING_IN_FORCE } from './mapping.queries';
import { RecordMappers } from './record-mappers';
import type { RecordMappingEntity } from './record-mapping.entity';

export type MappingInForce = Pick<RecordMappingEntity, 'id' | 'version' | 'expression'>;

export interface MappedItems {
  readonly items: readonly MappedItem[];
  /** Absent where nothing is set. */
  readonly mapping?: { readonly id: string; readonly version: number };
}

/** `data` is null where the mapping failed; the record is as it was, and is read with `raw=true`. */
export type MappedItem = FeedItem & { readonly mappingError?: string; readonly shapeError?: string };

type Owner = Pick<Connection, 'id' | 'tenant' | 'provider'>;

/**
 * What readers get of records: first the product's code has its say, then what was set for the connection, or else for its organization.
 * It is done at the reading. What is stored stays the provider's object, so another mapping needs nothing from the provider.
 */
@Injectable()
export class MappedFeed {
  constructor(
    private readonly dataSource: DataSource,
    private readonly evaluator: MappingEvaluator,
    private readonly mappers: RecordMappers,
  ) {}

  async map(owner: Owner, resource: string, items: readonly FeedItem[]): Promise<MappedItems> {
    const mapping = await this.inForce(owner, resource);
    const coded = await this.byCode(owner, resource, items);
    if (!mapping) return { items: coded };
    const { id, version } = mapping;
    return { items: await this.byData(owner, mapping, coded), mapping: { id, version } };
  }

  async inForce({ id, tenant, provider }: Owner, resource: string): Promise<MappingInForce | undefined> {
    const scope = asTenant(this.dataSource, tenantInHand());
    return (await scope.query<MappingInForce>(MAPPING_IN_FORCE, [tenant, provider, resource, id]))[0];
  }

  private async byCode({ id: connectionId, tenant, provider }: Owner, resource: string, items: readonly FeedItem[]): Promise<MappedItem[]> {
    const mapper = this.mappers.find(provider, resource);
    if (!mapper) return [...items];
    return Promise.all(
      items.map(async (item): Promise<MappedItem> => {
        if (item.deleted) return item;
        try {
          return { ...item, data: await mapper.map(item.data, { tenant, connectionId, recordId: item.id }) };
        } catch (error) {
          return failed(provider, item, error instanceof Error ? error.message : String(error));
        }
      }),
    );
  }

  private async byData({ provider }: Owner, { expression }: MappingInForce, items: readonly MappedItem[]): Promise<MappedItem[]> {
    const living = items.filter(({ deleted, mappingError }) => !deleted && mappingError === undefined);
    const results = await this.evaluator.map(
      expression,
      living.map(({ data }) => data),
    );
    const mapped = new Map<MappedItem, Mapped>(living.map((item, index) => [item, results[index] as Mapped]));
    return items.map((item) => {
      const result = mapped.get(item);
      if (!result) return item;
      return 'error' in result ? failed(provider, item, result.error) : { ...item, data: result.data };
    });
  }
}

function failed(provider: string, item: FeedItem, mappingError: string): MappedItem {
  mappingFailures.inc({ provider });
  return { ...item, data: null, mappingError };
}
