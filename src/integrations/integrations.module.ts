import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { AuditAdminModule } from './audit';
import { OperationsModule } from './operations';
import { ConnectionsModule, PersonalDataModule } from './connections';
import { MonitoringModule } from './monitoring';
import { OutboundModule } from './outbound';
import { ConnectModule } from './connect';
import { NotificationsModule } from './notifications';
import { JobsModule } from './jobs';
import { KeysModule } from './keys';
import { ProviderRegistryModule } from './providers';
import { SyncModule } from './sync';
import { WebhooksModule } from './webhooks';

const PARTS = [
  AuditAdminModule,
  ProviderRegistryModule,
  ConnectionsModule,
  PersonalDataModule,
  ConnectModule,
  OutboundModule,
  SyncModule,
  WebhooksModule,
  OperationsModule,
  NotificationsModule,
  MonitoringModule,
  KeysModule,
];

/** The core: knows how to connect, call, receive, sync and watch; knows no provider's name. */
@Module({ imports: [ScheduleModule.forRoot(), JobsModule, ...PARTS], exports: PARTS })
export class IntegrationsModule {}
