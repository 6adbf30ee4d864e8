import type { Clock } from '../../../../clock';
import type { Settings } from '../../../../config/env';
import type { LimitStore } from './limit-store';
import { MemoryLimitStore } from './memory-limit-store';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- the client of Redis only where there is one
const redis = () => require('./redis-limit-store') as typeof import('./redis-limit-store');

/** Injection token of the `LimitStore`. */
export const LIMIT_STORE = Symbol('LimitStore');

/** Shared by all processes where there is a Redis, else of this process. */
export function limitStoreFor(clock: Clock, settings: Pick<Settings, 'redisUrl'>): LimitStore {
  if (!settings.redisUrl) return new MemoryLimitStore(clock);
  const { RedisLimitStore } = redis();
  return new RedisLimitStore(settings.redisUrl, clock);
}
