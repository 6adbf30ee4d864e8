import type { z } from 'zod';
import { IntegrationError } from '../../../errors';
import type { SyncRecord } from '../../contract';
import { canonicalJson, contentHashes, storable } from './canonical-json';
import { shapeErrorsIn, type ShapeErrors } from './record-shapes';

/**
 * Between the texts of a batch, which go as one: an array parameter would need every quote escaped here and unescaped there. JSON writes
 * it escaped, so no text holds it.
 */
const SEPARATOR = '\x1e';

/** Records as the statement takes them: one array a column. */
export interface RecordBatch {
  readonly size: number;
  readonly ids: readonly string[];
  /** The records' JSON. */
  readonly texts: readonly string[];
  /** The records' hashes, end to end. */
  readonly hashes: Buffer;
  /** Null: none has a version. */
  readonly versions: readonly (number | null)[] | null;
  /** Null: none is a deletion. */
  readonly deleted: readonly boolean[] | null;
  /** What each hangs on, as `resource/id`; the own resource is left out. Null: nothing hangs on anything. */
  readonly partOf: readonly (string | null)[] | null;
  /** Those that are not taken in where what they hang on is stored as deleted. Null: none. */
  readonly required: readonly boolean[] | null;
  /** Those that do not have the declared shape. Null: none. */
  readonly shapeErrors: ShapeErrors | null;
}

/** Of an id that comes twice the later one counts, unless its version is lower. */
export function recordBatch(records: readonly SyncRecord[], shape?: z.ZodType): RecordBatch {
  const chosen = new Map<string, SyncRecord>();
  for (const record of records) {
    if (typeof record.id !== 'string' || record.id === '')
      throw new IntegrationError('provider_bad_answer', { detail: 'The provider sent a record without an id.' });
    const id = storable(record.id);
    const other = chosen.get(id);
    if (!other || !((record.version ?? Infinity) < (other.version ?? -Infinity))) chosen.set(id, record);
  }
  const unique = [...chosen.values()].map((record) => withParent(record, chosen));
  const texts = unique.map((record) => (record.deleted ? 'null' : canonicalJson(record.data)));
  return {
    size: unique.length,
    ids: [...chosen.keys()],
    texts,
    hashes: contentHashes(texts),
    versions: unique.some((record) => record.version !== undefined) ? unique.map((record) => finite(record.version)) : null,
    deleted: unique.some((record) => record.deleted) ? unique.map((record) => record.deleted === true) : null,
    partOf: unique.some((record) => record.partOf)
      ? unique.map(({ partOf }) => (partOf ? `${partOf.resource ?? ''}/${storable(partOf.id)}` : null))
      : null,
    required: unique.some(isRequired) ? unique.map(isRequired) : null,
    shapeErrors: shapeErrorsIn(unique, shape),
  };
}

/** What the same batch says of the record that this one cannot be without. */
function withParent(record: SyncRecord, batch: ReadonlyMap<string, SyncRecord>): SyncRecord {
  const parent = record.partOf && isRequired(record) ? batch.get(storable(record.partOf.id)) : undefined;
  if (!parent || !record.partOf) return record;
  return parent.deleted ? { ...record, deleted: true } : { ...record, partOf: { ...record.partOf, required: false } };
}

function isRequired({ partOf }: SyncRecord): boolean {
  return partOf?.required === true && partOf.resource === undefined;
}

/** The texts as one param. */
export function textsOf({ texts }: RecordBatch): string {
  return texts.join(SEPARATOR);
}

function finite(version: number | undefined): number | null {
  return version !== undefined && Number.isFinite(version) ? version : null;
}
