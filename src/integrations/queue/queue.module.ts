import { BullModule } from '@nestjs/bull';
import { Global, Module, type DynamicModule } from '@nestjs/common';
import Redis from 'ioredis';
import type { Settings } from '../../config/env';
import { Doorbell } from './doorbell';
import { InProcessDoorbell } from './in-process.doorbell';
import { DOORBELL_QUEUE, REDIS_CLIENTS, RedisDoorbell } from './redis.doorbell';
import { Sweeper } from './sweeper';

type ClientType = 'client' | 'subscriber' | 'bclient';

/** The doorbell: in this process, and between processes where there is a Redis. The sweeper's clockwork is the application's `ScheduleModule`. */
@Global()
@Module({})
export class QueueModule {
  static with(settings: Pick<Settings, 'redisUrl' | 'workers'>): DynamicModule {
    const { redisUrl } = settings;
    const common = { module: QueueModule, exports: [Doorbell] };
    if (redisUrl === undefined) {
      return {
        ...common,
        providers: [InProcessDoorbell, { provide: Doorbell, useExisting: InProcessDoorbell }, Sweeper],
      };
    }
    const clients: Redis[] = [];
    const createClient = (type: ClientType) => {
      const client = redisClient(redisUrl, type);
      clients.push(client);
      return client;
    };
    return {
      ...common,
      imports: [BullModule.forRoot({ prefix: 'trestle', createClient }), BullModule.registerQueue({ name: DOORBELL_QUEUE })],
      providers: [
        { provide: REDIS_CLIENTS, useValue: clients },
        InProcessDoorbell,
        RedisDoorbell,
        { provide: Doorbell, useExisting: RedisDoorbell },
        Sweeper,
      ],
    };
  }
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
