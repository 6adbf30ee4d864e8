import { Redis, type RedisOptions } from 'ioredis';
import { v7 as uuid } from 'uuid';
import type { Clock } from '../../../../clock';
import type { Bucket } from './gcra';
import { TAKEN, taken, type LimitStore, type Take } from './limit-store';
import { MemoryLimitStore } from './memory-limit-store';
import { CLOSE_SCRIPT, HEARTBEAT_SCRIPT, TAKE_SCRIPT } from './redis-scripts';

export interface RedisLimitStoreOptions {
  /** How long one command may take before this process goes on alone, ms. Default 250. */
  readonly commandTimeoutMs: number;
  /** How long it goes on alone before it asks Redis again, ms. Default 1 000. */
  readonly retryAfterMs: number;
  /** Time between signs of life, ms. Default 3 000; a process that was silent for three of them is not counted. */
  readonly heartbeatMs: number;
  /** Processes that are assumed at least until this one has been counted a few times: too few would go over the limit, too many only go slower. Default 4. */
  readonly assumedProcesses: number;
  /** Default `trestle:`. */
  readonly prefix: string;
}

export const REDIS_LIMIT_DEFAULTS: RedisLimitStoreOptions = {
  commandTimeoutMs: 250,
  retryAfterMs: 1_000,
  heartbeatMs: 3_000,
  assumedProcesses: 4,
  prefix: 'trestle:',
};

/** Signs of life after which all that started together have been counted. */
const BEATS_TO_KNOW = 2;

interface Scripts {
  trestleTake(keys: number, ...rest: (string | number)[]): Promise<number[]>;
  trestleClose(keys: number, ...rest: (string | number)[]): Promise<number>;
  trestleHeartbeat(keys: number, ...rest: (string | number)[]): Promise<number>;
}

/**
 * The buckets of all processes. While Redis does not answer, each process keeps to its share: the limit divided by the number
 * of processes last seen, starting without a burst, since the shared bucket's state is not known.
 */
export class RedisLimitStore implements LimitStore {
  private readonly options: RedisLimitStoreOptions;
  private readonly redis: Redis & Scripts;
  private readonly processId = uuid();
  private readonly heartbeat: NodeJS.Timeout;
  private alone?: { readonly store: MemoryLimitStore; readonly started: Set<string> };
  private aloneUntil = 0;
  private processes: number;
  private beats = 0;
  /** What this process heard of closed buckets, so that it keeps them closed when it is alone. ms since the epoch. */
  private readonly closed = new Map<string, number>();

  constructor(
    url: string,
    private readonly clock: Clock,
    options: Partial<RedisLimitStoreOptions> = {},
  ) {
    this.options = { ...REDIS_LIMIT_DEFAULTS, ...options };
    this.processes = this.options.assumedProcesses;
    this.redis = new Redis(url, redisOptions(this.options)) as Redis & Scripts;
    this.redis.defineCommand('trestleTake', { lua: TAKE_SCRIPT });
    this.redis.defineCommand('trestleClose', { lua: CLOSE_SCRIPT });
    this.redis.defineCommand('trestleHeartbeat', { lua: HEARTBEAT_SCRIPT });
    // Every command tells of its own failure; the connection mends itself.
    this.redis.on('error', () => undefined);
    this.redis.on('ready', () => void this.beat());
    this.heartbeat = setInterval(() => void this.beat(), this.options.heartbeatMs);
    this.heartbeat.unref();
  }

  async take(buckets: readonly Bucket[], most = 1): Promise<Take> {
    if (this.isAlone()) return this.takeAlone(buckets, most);
    try {
      const parts = this.partsOf(buckets, most);
      // One more time where the connection stands: a busy process finds its timer first and the answer, which has come in time, behind it.
      // What the first one took is lost, not taken twice.
      const answer = await this.redis.trestleTake(buckets.length, ...parts).catch((error: Error) => {
        if (this.redis.status !== 'ready') throw error;
        return this.redis.trestleTake(buckets.length, ...parts);
      });
      this.alone = undefined;
      const [waitUs = 0, calls = 1] = answer;
      if (waitUs === 0) return calls === 1 ? TAKEN : taken(calls);
      return { taken: 0, waitMs: waitUs / 1000, blocked: answer.slice(1).map((index) => buckets[index - 1]!.key) };
    } catch {
      this.goAlone();
      return this.takeAlone(buckets, most);
    }
  }

  async close(buckets: readonly Bucket[], ms: number): Promise<void> {
    const until = this.clock.now() + ms;
    for (const { key } of buckets) this.closed.set(key, Math.max(until, this.closed.get(key) ?? 0));
    this.forgetOpened();
    this.alone?.store.close(buckets, ms);
    if (this.isAlone()) return;
    try {
      const keys = buckets.map((bucket) => this.key(bucket.key));
      await this.redis.trestleClose(keys.length, ...keys, ms, ...buckets.map((b) => Math.max(0, b.burst - 1) * b.intervalMs));
    } catch {
      this.goAlone();
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.heartbeat);
    if (this.redis.status === 'ready') await this.redis.zrem(this.key('processes'), this.processId).catch(() => undefined);
    this.redis.disconnect();
  }

  /** True while Redis is not asked. */
  isAlone(): boolean {
    return this.redis.status !== 'ready' || this.clock.now() < this.aloneUntil;
  }

  private goAlone(): void {
    this.aloneUntil = this.clock.now() + this.options.retryAfterMs;
  }

  private takeAlone(buckets: readonly Bucket[], most: number): Take {
    const alone = (this.alone ??= { store: new MemoryLimitStore(this.clock), started: new Set() });
    const shares = buckets.map((bucket) => shareOf(bucket, this.processes));
    for (const share of shares) {
      if (alone.started.has(share.key)) continue;
      alone.started.add(share.key);
      // What the others took just now is not known: begin as if the burst were spent, and keep closed what was closed.
      alone.store.close([share], Math.max(share.intervalMs, (this.closed.get(share.key) ?? 0) - this.clock.now()));
    }
    return alone.store.take(shares, most);
  }

  private async beat(): Promise<void> {
    if (this.redis.status !== 'ready') return;
    try {
      const seen = await this.redis.trestleHeartbeat(1, this.key('processes'), this.processId, this.options.heartbeatMs * 3);
      // Processes start together: who has only just come has not seen those that come after it.
      this.processes = Math.max(seen, ++this.beats > BEATS_TO_KNOW ? 1 : this.options.assumedProcesses);
    } catch {
      // The next command notices by itself.
    }
  }

  private forgetOpened(): void {
    if (this.closed.size < 1_000) return;
    for (const [key, until] of this.closed) if (until <= this.clock.now()) this.closed.delete(key);
  }

  /** Keys, then each bucket's numbers, then how many. */
  private partsOf(buckets: readonly Bucket[], most: number): (string | number)[] {
    const parts: (string | number)[] = [];
    for (const { key } of buckets) parts.push(this.key(key));
    for (const { intervalMs, burst, cost } of buckets) parts.push(intervalMs, burst, cost);
    parts.push(most);
    return parts;
  }

  /** One hash slot for all buckets of a provider: a script may touch one slot only. */
  private key(name: string): string {
    const end = name.indexOf('|');
    return `${this.options.prefix}limit:{${name.slice(0, end)}}:${name.slice(end + 1)}`;
  }
}

/** A process's part of a bucket. A call that costs more than its part of the burst still goes, and is paid for by waiting. */
function shareOf(bucket: Bucket, processes: number): Bucket {
  return { ...bucket, intervalMs: bucket.intervalMs * processes, burst: Math.max(Math.floor(bucket.burst / processes), bucket.cost, 1) };
}

function redisOptions({ commandTimeoutMs }: RedisLimitStoreOptions): RedisOptions {
  return {
    commandTimeout: commandTimeoutMs,
    connectTimeout: 2_000,
    disconnectTimeout: 200,
    // A command that cannot go now fails now: the share per process is better than a queue.
    enableOfflineQueue: false,
    // Calls of one moment go in one packet.
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(times * 100, 1_000),
  };
}
