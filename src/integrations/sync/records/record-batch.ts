import { IntegrationError } from '../../../errors';
import type { SyncRecord } from '../../contract';
import { canonicalJson, contentHashes, storable } from './canonical-json';

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
}

/** Of an id that comes twice the later one counts, unless its version is lower. */
export function recordBatch(records: readonly SyncRecord[]): RecordBatch {
  const chosen = new Map<string, SyncRecord>();
  for (const record of records) {
    if (typeof record.id !== 'string' || record.id === '')
      throw new IntegrationError('provider_bad_answer', { detail: 'The provider sent a record without an id.' });
    const id = storable(record.id);
    const other = chosen.get(id);
    if (!other || !((record.version ?? Infinity) < (other.version ?? -Infinity))) chosen.set(id, record);
  }
  const unique = [...chosen.values()];
  const texts = unique.map((record) => (record.deleted ? 'null' : canonicalJson(record.data)));
  return {
    size: unique.length,
    ids: [...chosen.keys()],
    texts,
    hashes: contentHashes(texts),
    versions: unique.some((record) => record.version !== undefined) ? unique.map((record) => finite(record.version)) : null,
    deleted: unique.some((record) => record.deleted) ? unique.map((record) => record.deleted === true) : null,
  };
}

/** The texts as one param. */
export function textsOf({ texts }: RecordBatch): string {
  return texts.join(SEPARATOR);
}

function finite(version: number | undefined): number | null {
  return version !== undefined && Number.isFinite(version) ? version : null;
}
