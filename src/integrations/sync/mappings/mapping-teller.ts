import { Inject, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { InjectRepository } from '@nestjs/typeorm';
import { DataSource, IsNull, type Repository } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { DATABASE, inTransaction } from '../../../database';
import { PeriodicTasks } from '../../jobs';
import { RecordChangeEvents } from '../records/record-change-events';
import { RecordStore } from '../records/record-store';
import { CONCERNED, TELL_ANEW } from './mapping.queries';
import { RecordMappingEntity } from './record-mapping.entity';

const TICK_MS = 3_000;
/** Records in one transaction. */
const BATCH = 500;
const CONNECTIONS_AT_ONCE = 200;
const FIRST = '00000000-0000-0000-0000-000000000000';

/** After a mapping was set or ended: readers of the feed get the living records again, without a word to the provider. */
@Injectable()
export class MappingTeller {
  constructor(
    private readonly dataSource: DataSource,
    @InjectRepository(RecordMappingEntity, DATABASE) private readonly mappings: Repository<RecordMappingEntity>,
    private readonly records: RecordStore,
    private readonly changes: RecordChangeEvents,
    private readonly periodic: PeriodicTasks,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Interval('record-mappings', TICK_MS)
  tick(): Promise<void> {
    return this.periodic.run('record-mappings', (signal) => this.tellAll(signal));
  }

  async tellAll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const [mapping] = await this.mappings.find({ where: { toldAt: IsNull() }, order: { createdAt: 'ASC' }, take: 1 });
      if (!mapping) return;
      if (!(await this.tell(mapping, signal))) return;
      await this.mappings.update({ id: mapping.id, endedAt: mapping.endedAt ?? IsNull() }, { toldAt: new Date(this.clock.now()) });
    }
  }

  /** @returns whether all was told */
  private async tell(mapping: RecordMappingEntity, signal: AbortSignal): Promise<boolean> {
    for (let last = FIRST; ;) {
      const found = await this.dataSource.query<{ id: string }[]>(CONCERNED, [mapping.id, last, CONNECTIONS_AT_ONCE]);
      for (const { id } of found) while ((await this.tellSome(mapping, id)) === BATCH) if (signal.aborted) return false;
      const end = found.at(-1);
      if (!end) return true;
      if (signal.aborted) return false;
      last = end.id;
    }
  }

  /** @returns how many records were given anew */
  private tellSome({ tenant, provider, resource, createdAt, endedAt }: RecordMappingEntity, connectionId: string): Promise<number> {
    return inTransaction(this.dataSource, async (manager) => {
      await this.records.lock(manager, connectionId);
      const owner = { tenant, provider, connectionId };
      const before = await this.changes.position(manager, owner);
      const [row] = await manager.query<{ told: number }[]>(TELL_ANEW, [connectionId, resource, endedAt ?? createdAt, BATCH]);
      const told = row?.told ?? 0;
      if (told > 0) await this.changes.tell(manager, owner, resource, before, { created: 0, updated: told, deleted: 0, unchanged: 0 });
      return told;
    });
  }
}
