import { Injectable } from '@nestjs/common';
import { ERROR_KINDS, IntegrationError } from '../../../errors';
import type { SyncResource } from '../../contract';
import { ProviderRegistry } from '../../providers';
import { ResourceWalker, type ResourceOutcome, type WalkJob } from '../pages/resource-walker';
import { RecordStore } from '../records/record-store';
import { isPartial, syncError } from './run-policy';
import { partKey, type KnownPart, type LearnedParts, type PartError, type PartPlace, type TriedPart } from './sync-part';
import { SyncPartRepository } from './sync-part.repository';
import { SyncRunRepository, type RunEnd } from './sync-run.repository';

/** Partitions by resource. */
export type Partitions = ReadonlyMap<string, readonly string[]>;

export interface WalkedParts {
  readonly end: RunEnd;
  readonly listed: Partitions;
  readonly readable: Partitions;
  readonly learned: LearnedParts;
}

type Known = ReadonlyMap<string, KnownPart>;

/** Walks what a run is about, one resource after the other. */
@Injectable()
export class RunParts {
  constructor(
    private readonly walker: ResourceWalker,
    private readonly records: RecordStore,
    private readonly registry: ProviderRegistry,
    private readonly parts: SyncPartRepository,
    private readonly runs: SyncRunRepository,
  ) {}

  /**
   * Parts succeed and fail by themselves: what was read counts, and the run has failed only where nothing could be read. What could not be
   * read before is left out until its time has come; where a run over everything would be left with nothing, all is tried.
   */
  async walk(job: WalkJob): Promise<WalkedParts> {
    await this.records.prepare(job.run.connectionId);
    const known = await this.parts.known(job.run.connectionId);
    const walked = await this.walkAll(job, known, (place) => known.get(partKey(place))?.waits === true);
    if (walked.left === 0 || walked.triedSome() || job.run.resources.length > 0) return walked.outcome();
    return (await this.walkAll(job, known, () => false)).outcome();
  }

  private async walkAll(job: WalkJob, known: Known, waits: (place: PartPlace) => boolean): Promise<Walked> {
    const sync = this.registry.get(job.run.provider).sync;
    if (!sync) throw new IntegrationError('not_supported');
    const everything = job.run.resources.length === 0;
    const walked = new Walked(known);
    if (everything) walked.keep(sync.resources);
    for (const resource of sync.resources.filter(({ name }) => everything || job.run.resources.includes(name))) {
      job.signal.throwIfAborted();
      if (waits(wholeOf(resource))) {
        walked.leftOut(resource);
        continue;
      }
      try {
        await this.runs.begin(job.run, resource.name);
        const waiting = (partition: string) => waits({ resource: resource.name, partition, whole: false });
        walked.add(resource, await this.walker.walk(job, resource, waiting));
      } catch (error) {
        const failure = syncError(error);
        if (job.signal.aborted || !isPartial(failure)) throw error;
        walked.failed(resource, failure);
      }
    }
    return walked;
  }
}

/** What a run has met so far. */
class Walked {
  readonly tried: TriedPart[] = [];
  /** Parts that were not tried. */
  left = 0;
  private readonly gone: PartPlace[] = [];
  private readonly listed = new Map<string, readonly string[]>();
  private readonly readable = new Map<string, readonly string[]>();
  private readonly more: string[] = [];
  private readonly errors: PartError[] = [];
  private blocked: string | undefined;

  constructor(private readonly known: Known) {}

  /** What is remembered of resources that the provider no longer has is forgotten. */
  keep(resources: readonly SyncResource[]): void {
    const names = new Set(resources.map(({ name }) => name));
    this.gone.push(...[...this.known.values()].filter(({ resource }) => !names.has(resource)));
  }

  add(resource: SyncResource, { partitions, unreadable, left, extents, walked, extent, blocked, more }: ResourceOutcome): void {
    const { name, label } = resource;
    const read = partitions.filter((partition) => !unreadable.has(partition) && !left.includes(partition));
    this.listed.set(name, partitions);
    if (read.length > 0 || partitions.length === 0) this.readable.set(name, read);
    this.tried.push({ ...wholeOf(resource), label, extent });
    for (const partition of partitions) {
      if (left.includes(partition)) continue;
      const error = unreadable.get(partition);
      const told = extents.get(partition);
      const place = { resource: name, partition, whole: false, walked: walked.has(partition) };
      this.tried.push({ ...place, label, ...(error && { error: errorOf(error) }), ...(told !== undefined && { extent: told }) });
    }
    if (extent === null) this.gone.push(...this.absent(name, partitions));
    this.left += left.length;
    if (more) this.more.push(name);
    const [error] = unreadable.values();
    const first = error ?? this.errorBefore({ resource: name, partition: left[0] ?? '', whole: false });
    if (first) this.errors.push(named(first, label, read.length, partitions.length));
    if (blocked.length > 0) this.blocked ??= label;
  }

  failed(resource: SyncResource, error: IntegrationError): void {
    this.tried.push({ ...wholeOf(resource), label: resource.label, error: errorOf(error) });
    this.errors.push(named(error, resource.label));
  }

  leftOut(resource: SyncResource): void {
    this.left++;
    const error = this.errorBefore(wholeOf(resource));
    if (error) this.errors.push(named(error, resource.label));
  }

  /** A list of partitions alone is no part that was tried. */
  triedSome(): boolean {
    return this.tried.some(({ whole, error }) => !whole || error);
  }

  outcome(): WalkedParts {
    const { listed, readable, tried, gone, more } = this;
    return { end: this.end(), listed, readable, learned: { tried, gone, more } };
  }

  private end(): RunEnd {
    const [first] = this.errors;
    const error = first && { code: first.code, message: this.errors.map(({ message }) => message).join(' ') };
    if (error && this.readable.size === 0) return { status: 'failed', error };
    return this.blocked === undefined ? { status: 'succeeded', ...(error && { error }) } : paused(this.blocked);
  }

  private errorBefore(place: PartPlace): PartError | undefined {
    const known = this.known.get(partKey(place));
    return known?.error_code ? { code: known.error_code, message: known.error_message ?? ERROR_KINDS[known.error_code].detail } : undefined;
  }

  private absent(resource: string, partitions: readonly string[]): PartPlace[] {
    return [...this.known.values()].filter((part) => part.resource === resource && !part.whole && !partitions.includes(part.partition));
  }
}

const wholeOf = ({ name }: SyncResource): PartPlace => ({ resource: name, partition: '', whole: true });

const errorOf = ({ code, message }: IntegrationError): PartError => ({ code, message });

/** Names the part: "Calendar events (2 of 3 read): ..." */
function named({ code, message }: PartError, label: string, read = 0, all = 1): PartError {
  return { code, message: `${label}${all > 1 ? ` (${read} of ${all} read)` : ''}: ${message}` };
}

function paused(label: string): RunEnd {
  const { code, message } = new IntegrationError('confirmation_required', {
    detail: `${label}: this would remove more than half of the records.`,
  });
  return { status: 'paused', error: { code, message } };
}
