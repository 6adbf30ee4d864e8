import type { Clock } from '../../../clock';
import type { Settings } from '../../../config/env';
import type { LimitStore } from './limit-store';
import { MemoryLimitStore } from './memory-limit-store';
import { RedisLimitStore } from './redis-limit-store';

/** Injection token of the `LimitStore`. */
export const LIMIT_STORE = Symbol('LimitStore');

/** Shared by all processes where there is a Redis, else of this process. */
export function limitStoreFor(clock: Clock, settings: Pick<Settings, 'redisUrl'>): LimitStore {
  return settings.redisUrl ? new RedisLimitStore(settings.redisUrl, clock) : new MemoryLimitStore(clock);
}
