import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DATABASE, OWN_DATA_SOURCE } from '../../database';
import { AuditModule } from '../audit';
import { ConnectionsModule, PersonalData } from '../connections';
import { AccountLookup } from './account-lookup';
import { ConnectedAccounts } from './connected-accounts';
import { KeyConnectService } from './key-connect.service';
import { CONNECT_TABLES } from './held-tables';
import { OutboxModule } from '../notifications/outbox';
import { OutboundModule } from '../outbound';
import { AdminConnectionsController } from '../connections/admin-connections.controller';
import { AdminClientsController } from '../connections/clients/admin-clients.controller';
import { ConnectionsController } from './connections.controller';
import { ConnectFlowRepository } from './connect-flow.repository';
import { FlowSeal } from './flow-seal';
import { ConnectDoneController } from './connect-done.controller';
import { ConnectController } from './connect.controller';
import { ConnectService } from './connect.service';
import { ConnectSessionEntity } from './connect-session.entity';
import { OauthStateEntity } from './oauth-state.entity';

/** Connecting: the flows, their pages and the routes of connections. */
@Module({
  imports: [
    AuditModule,
    ConnectionsModule,
    OutboundModule,
    OutboxModule,
    TypeOrmModule.forFeature([ConnectSessionEntity, OauthStateEntity], DATABASE),
  ],
  controllers: [ConnectDoneController, ConnectController, ConnectionsController, AdminConnectionsController, AdminClientsController],
  providers: [OWN_DATA_SOURCE, ConnectFlowRepository, FlowSeal, AccountLookup, ConnectedAccounts, ConnectService, KeyConnectService],
  exports: [ConnectService, KeyConnectService],
})
export class ConnectModule {
  constructor(data: PersonalData) {
    data.register(CONNECT_TABLES);
  }
}
