import { BullModule } from '@nestjs/bull';
import type { ModuleMetadata } from '@nestjs/common';
import Redis from 'ioredis';
import { WakeUp } from './wake-up';
import { InProcessWakeUp } from './in-process.wake-up';
import { WAKE_UP_QUEUE, REDIS_CLIENTS, BullWakeUp } from './bull.wake-up';

type ClientType = 'client' | 'subscriber' | 'bclient';

/** What the wake-up between processes is made of. */
export function redisWakeUp(redisUrl: string): Required<Pick<ModuleMetadata, 'imports' | 'providers'>> {
  const clients: Redis[] = [];
  const createClient = (type: ClientType) => {
    const client = redisClient(redisUrl, type);
    clients.push(client);
    return client;
  };
  return {
    imports: [BullModule.forRoot({ prefix: 'trestle', createClient }), BullModule.registerQueue({ name: WAKE_UP_QUEUE })],
    providers: [{ provide: REDIS_CLIENTS, useValue: clients }, InProcessWakeUp, BullWakeUp, { provide: WakeUp, useExisting: BullWakeUp }],
  };
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
