import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import type { EventResource, SyncRecord } from '../../contract';
import { ProviderRegistry } from '../../providers';

/** Records that were stored as they came since they do not have the declared shape: how many, and what is wrong with the first. */
export interface ShapeErrors {
  readonly records: number;
  readonly recordId: string;
  readonly reason: string;
}

/** @returns null where all have it */
export function shapeErrorsIn(records: readonly SyncRecord[], shape: z.ZodType | undefined): ShapeErrors | null {
  if (!shape) return null;
  const found = records.flatMap(({ id, data, deleted }) => {
    const reason = deleted ? undefined : shapeError(shape, data);
    return reason === undefined ? [] : { recordId: id, reason };
  });
  return found[0] ? { ...found[0], records: found.length } : null;
}

/** The place and what was expected there: never what stands there. */
function shapeError(shape: z.ZodType, data: unknown): string | undefined {
  const { error } = shape.safeParse(data);
  if (!error) return undefined;
  const [issue] = error.issues;
  return `${issue?.path.join('.') || 'the record'}: ${issue?.message ?? 'Invalid input'}`;
}

/** What the providers declare of the records of their resources. */
@Injectable()
export class RecordShapes {
  constructor(private readonly registry: ProviderRegistry) {}

  /** All that the provider has, whether a run walks it or events alone fill it. */
  of(provider: string): readonly EventResource[] {
    const { resources = [], eventOnly = [] } = this.registry.find(provider)?.sync ?? {};
    return [...resources, ...eventOnly];
  }

  find(provider: string, resource: string): EventResource | undefined {
    return this.of(provider).find(({ name }) => name === resource);
  }

  /** The records as readers get them: of those that do not have the declared shape it is said why. */
  tell<Item extends { readonly data: unknown; readonly deleted: boolean }>(
    provider: string,
    resource: string,
    items: readonly Item[],
  ): (Item & { readonly shapeError?: string })[] {
    const shape = this.find(provider, resource)?.shape;
    return items.map((item) => {
      const reason = shape && !item.deleted ? shapeError(shape, item.data) : undefined;
      return reason === undefined ? item : { ...item, shapeError: reason };
    });
  }
}
