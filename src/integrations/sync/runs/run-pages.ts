import { z } from 'zod';
import { decodeCursor, encodeCursor, paged, type Paged } from '../../../http-api';
import type { SyncService } from './sync.service';
import { viewOf, type SyncRunView } from './sync-run';
import type { RunFilter } from './sync-run.repository';

const position = z.strictObject({ at: z.iso.datetime(), id: z.guid() });

/** A page of runs, newest first. */
export async function pageOfRuns(
  service: SyncService,
  filter: Omit<RunFilter, 'before' | 'limit'>,
  query: { cursor?: string; limit: number },
): Promise<Paged<SyncRunView>> {
  const before = query.cursor === undefined ? undefined : decodeCursor(query.cursor, position);
  const found = await service.list({ ...filter, before, limit: query.limit + 1 });
  const runs = found.slice(0, query.limit);
  const last = runs.at(-1);
  return paged(
    runs.map(viewOf),
    last && found.length > runs.length ? encodeCursor({ at: last.createdAt.toISOString(), id: last.id }) : null,
  );
}
