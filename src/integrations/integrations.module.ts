import { Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import type { Settings } from '../config/env';
import { ActionsModule } from './actions';
import { ConnectionsModule } from './connections';
import { EventEffectsModule } from './event-effects.module';
import { HealthModule } from './health';
import { HttpChainModule, HttpModule } from './http';
import { OAuthModule } from './oauth';
import { OutgoingModule } from './outgoing';
import { QueueModule } from './queue';
import { RegistryModule } from './registry';
import { SyncModule } from './sync';
import { WebhooksModule } from './webhooks';

const PARTS = [
  RegistryModule,
  ConnectionsModule,
  HttpChainModule,
  OAuthModule,
  HttpModule,
  WebhooksModule,
  SyncModule,
  ActionsModule,
  EventEffectsModule,
  OutgoingModule,
  HealthModule,
];

/** The core: knows how to connect, call, receive, sync and watch; knows no provider's name. */
@Module({ imports: [ScheduleModule.forRoot(), ...PARTS], exports: PARTS })
export class IntegrationsModule {
  /** For the application's own module, once: adds what the settings decide. Everybody else imports the class. */
  static with(settings: Settings): DynamicModule {
    return { module: IntegrationsModule, imports: [QueueModule.with(settings)] };
  }
}
