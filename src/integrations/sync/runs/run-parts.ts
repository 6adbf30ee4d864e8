import { Injectable } from '@nestjs/common';
import { IntegrationError } from '../../../errors';
import { ProviderRegistry } from '../../providers';
import { ResourceWalker, type WalkJob } from '../pages/resource-walker';
import { RecordStore } from '../records/record-store';
import { isPartial, syncError } from './run-policy';
import type { RunEnd } from './sync-run.repository';

/** Partitions by resource. */
export type Partitions = ReadonlyMap<string, readonly string[]>;

/** Walks what a run is about, one resource after the other. */
@Injectable()
export class RunParts {
  constructor(
    private readonly walker: ResourceWalker,
    private readonly records: RecordStore,
    private readonly registry: ProviderRegistry,
  ) {}

  /** Parts succeed and fail by themselves: what was read counts, and the run has failed only where nothing could be read. */
  async walk(job: WalkJob): Promise<{ end: RunEnd; listed: Partitions; readable: Partitions }> {
    await this.records.prepare(job.run.connectionId);
    const sync = this.registry.get(job.run.provider).sync;
    if (!sync) throw new IntegrationError('not_supported');
    const wanted = sync.resources.filter(({ name }) => job.run.resources.length === 0 || job.run.resources.includes(name));
    const listed = new Map<string, readonly string[]>();
    const readable = new Map<string, readonly string[]>();
    let failed: RunEnd['error'];
    let blocked: string | undefined;
    for (const resource of wanted) {
      job.signal.throwIfAborted();
      try {
        const { partitions, unreadable, blocked: waiting } = await this.walker.walk(job, resource);
        listed.set(resource.name, partitions);
        if (unreadable.size < partitions.length || partitions.length === 0)
          readable.set(
            resource.name,
            partitions.filter((name) => !unreadable.has(name)),
          );
        const [error] = unreadable.values();
        if (error) failed ??= partError(error, resource.label, partitions.length - unreadable.size, partitions.length);
        if (waiting.length > 0) blocked ??= resource.label;
      } catch (error) {
        const known = syncError(error);
        if (job.signal.aborted || !isPartial(known)) throw error;
        failed ??= partError(known, resource.label);
      }
    }
    if (failed && readable.size === 0) return { end: { status: 'failed', error: failed }, listed, readable };
    const end: RunEnd = blocked === undefined ? { status: 'succeeded', ...(failed && { error: failed }) } : paused(blocked);
    return { end, listed, readable };
  }
}

/** Names the part: "Calendar events (2 of 3 read): ..." */
function partError(error: IntegrationError, label: string, read = 0, all = 1): NonNullable<RunEnd['error']> {
  return { code: error.code, message: `${label}${all > 1 ? ` (${read} of ${all} read)` : ''}: ${error.message}` };
}

function paused(label: string): RunEnd {
  const { code, message } = new IntegrationError('confirmation_required', {
    detail: `${label}: this would remove more than half of the records.`,
  });
  return { status: 'paused', error: { code, message } };
}
