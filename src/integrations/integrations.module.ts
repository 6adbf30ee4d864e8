import { Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import type { Settings } from '../config/env';
import { ConnectionsModule } from './connections';
import { QueueModule } from './queue';
import { RegistryModule } from './registry';

/** The core: knows how to connect, call, receive, sync and watch; knows no provider's name. */
@Module({})
export class IntegrationsModule {
  static with(settings: Settings): DynamicModule {
    const parts = [RegistryModule, ConnectionsModule, QueueModule.with(settings)];
    return { module: IntegrationsModule, imports: [ScheduleModule.forRoot(), ...parts], exports: parts };
  }
}
