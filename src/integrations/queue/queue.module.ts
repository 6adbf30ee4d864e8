import { Global, Module, type DynamicModule } from '@nestjs/common';
import type { Settings } from '../../config/env';
import { Doorbell } from './doorbell';
import { InProcessDoorbell } from './in-process.doorbell';
import { Sweeper } from './sweeper';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- Bull and its client only where there is a Redis
const redisParts = () => require('./redis-doorbell.parts') as typeof import('./redis-doorbell.parts');

/** The doorbell: in this process, and between processes where there is a Redis. The sweeper's clockwork is the application's `ScheduleModule`. */
@Global()
@Module({})
export class QueueModule {
  static with({ redisUrl }: Pick<Settings, 'redisUrl'>): DynamicModule {
    const common = { module: QueueModule, exports: [Doorbell] };
    if (redisUrl === undefined) {
      return {
        ...common,
        providers: [InProcessDoorbell, { provide: Doorbell, useExisting: InProcessDoorbell }, Sweeper],
      };
    }
    const { imports, providers } = redisParts().redisDoorbell(redisUrl);
    return { ...common, imports, providers: [...providers, Sweeper] };
  }
}
