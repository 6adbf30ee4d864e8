import { Module } from '@nestjs/common';
import { ConnectionsModule } from '../connections';
import { ConnectionsController } from './connections.controller';
import { ConnectFlowRepository } from './connect-flow.repository';
import { ConnectController } from './connect.controller';
import { ConnectService } from './connect.service';

/** Connecting: the flows, their pages and the routes of connections. */
@Module({
  imports: [ConnectionsModule],
  controllers: [ConnectController, ConnectionsController],
  providers: [ConnectFlowRepository, ConnectService],
  exports: [ConnectService],
})
export class ConnectModule {}
