import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { RegistryModule } from './registry/registry.module';

const PARTS = [RegistryModule];

/** The core: knows how to connect, call, receive, sync and watch; knows no provider's name. */
@Module({ imports: [ScheduleModule.forRoot(), ...PARTS], exports: PARTS })
export class IntegrationsModule {}
