import { Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import type { Settings } from '../config/env';
import { AuditAdminModule } from './audit';
import { OperationsModule } from './operations';
import { ConnectionsModule, PersonalDataModule } from './connections';
import { MonitoringModule } from './monitoring';
import { OutboundChainModule, OutboundModule } from './outbound';
import { ConnectModule } from './connect';
import { NotificationsModule } from './notifications';
import { JobsModule } from './jobs';
import { ProviderRegistryModule } from './providers';
import { SyncModule } from './sync';
import { WebhooksModule } from './webhooks';
const PARTS = [
  AuditAdminModule,
  ProviderRegistryModule,
  ConnectionsModule,
  PersonalDataModule,
  OutboundChainModule,
  ConnectModule,
  OutboundModule,
  SyncModule,
  WebhooksModule,
  OperationsModule,
  NotificationsModule,
  MonitoringModule,
];

/** The core: knows how to connect, call, receive, sync and watch; knows no provider's name. */
@Module({ imports: [ScheduleModule.forRoot(), ...PARTS], exports: PARTS })
export class IntegrationsModule {
  /** For the application's own module, once: adds what the settings decide. Everybody else imports the class. */
  static forRoot(settings: Settings): DynamicModule {
    return { module: IntegrationsModule, imports: [JobsModule.forRoot(settings)] };
  }
}
