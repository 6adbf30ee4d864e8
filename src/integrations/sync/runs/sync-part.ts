import type { RowOf } from '../../../database';
import type { ErrorCode } from '../../../errors';
import type { SyncPartEntity } from './sync-part.entity';

/** Names a part: a partition of a resource, or, with `whole`, the resource itself. */
export interface PartPlace {
  readonly resource: string;
  readonly partition: string;
  readonly whole: boolean;
}

export interface PartError {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What a run learned of a part that it tried. */
export interface TriedPart extends PartPlace {
  readonly label: string;
  /** Absent: it was read. */
  readonly error?: PartError;
  /** Of what was read: what its list leaves out, `null` for nothing. Absent: the run did not learn it. */
  readonly extent?: string | null;
  /** The run met all that there is of it. */
  readonly walked?: boolean;
}

/** What a run learned of the parts; of those that it did not try it says nothing. */
export interface LearnedParts {
  readonly tried: readonly TriedPart[];
  /** The provider has them no longer. */
  readonly gone: readonly PartPlace[];
  /** Resources of which there is more to read than what changed. */
  readonly more: readonly string[];
}

/** What is remembered of a part. */
export type KnownPart = RowOf<SyncPartEntity> & {
  /** It could not be read, and is not tried yet. */
  readonly waits: boolean;
};

export function partKey({ resource, partition, whole }: PartPlace): string {
  return JSON.stringify([resource, partition, whole]);
}
