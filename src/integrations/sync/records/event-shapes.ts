import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ConnectionRef, SyncRecord } from '../../contract';
import { SyncPartRepository } from '../runs/sync-part.repository';
import { RecordShapes, shapeErrorsIn } from './record-shapes';
import { shapeFailures } from './shape-metrics';

/** Holds what events bring against the declared shape, as runs do with what they read. */
@Injectable()
export class EventShapes {
  constructor(
    private readonly shapes: RecordShapes,
    private readonly parts: SyncPartRepository,
  ) {}

  async check(
    manager: EntityManager,
    { id, provider }: ConnectionRef,
    { resource, partition, records }: { resource: string; partition: string; records: readonly SyncRecord[] },
  ): Promise<void> {
    const declared = this.shapes.find(provider, resource);
    const errors = shapeErrorsIn(records, declared?.shape);
    if (!declared || !errors) return;
    await this.parts.addShapeErrors(manager, id, { resource, partition, label: declared.label, ...errors });
    shapeFailures.inc({ provider }, errors.records);
  }
}
