import { BullModule, getQueueToken } from '@nestjs/bull';
import type { LazyModuleLoader } from '@nestjs/core';
import type { Queue } from 'bull';
import Redis from 'ioredis';
import type { Clock } from '../../../clock';
import type { Settings } from '../../../config/env';
import { BullWakeUp, type WakeUpCall } from './bull.wake-up';
import type { InProcessWakeUp } from './in-process.wake-up';

const WAKE_UP_QUEUE = 'wake-up';

type ClientType = 'client' | 'subscriber' | 'bclient';

export interface BullWakeUpParts {
  readonly redisUrl: string;
  readonly local: InProcessWakeUp;
  readonly clock: Clock;
  readonly settings: Pick<Settings, 'workers'>;
}

/** The wake-up between processes; Nest's module of Bull is loaded for it. */
export async function openBullWakeUp(
  modules: LazyModuleLoader,
  { redisUrl, local, clock, settings }: BullWakeUpParts,
): Promise<BullWakeUp> {
  const clients: Redis[] = [];
  const createClient = (type: ClientType) => {
    const client = redisClient(redisUrl, type);
    clients.push(client);
    return client;
  };
  const bull = await modules.load(() => BullModule.registerQueue({ name: WAKE_UP_QUEUE, prefix: 'trestle', createClient }));
  return new BullWakeUp(local, bull.get<Queue<WakeUpCall>>(getQueueToken(WAKE_UP_QUEUE)), clients, clock, settings);
}

/** Bull wants its blocking connections without a limit of retries (https://github.com/OptimalBits/bull/blob/develop/REFERENCE.md). */
function redisClient(url: string, type: ClientType): Redis {
  const client = new Redis(url, {
    maxRetriesPerRequest: type === 'client' ? 1 : null,
    enableReadyCheck: false,
    connectTimeout: 5_000,
    retryStrategy: (attempt) => Math.min(attempt * 200, 2_000),
  });
  client.on('error', () => undefined); // Bull reports it as the queue's own
  return client;
}
