import { Module } from '@nestjs/common';
import { ConnectionsModule } from '../connections';
import { ConnectFlowRepository } from './connect-flow.repository';
import { ConnectController } from './connect.controller';
import { ConnectService } from './connect.service';
import { ConnectionStatusService } from './connection-status.service';
import { ConnectionsController } from './connections.controller';
import { DisconnectService } from './disconnect.service';
import { TokenEndpoint } from './token-endpoint';
import { TokenRefresher } from './token-refresher';
import { TokenService } from './token.service';

/** Connecting, valid tokens, disconnecting. `PROVIDER_FETCH` comes from the module of the way out. */
@Module({
  imports: [ConnectionsModule],
  controllers: [ConnectController, ConnectionsController],
  providers: [
    ConnectFlowRepository,
    ConnectService,
    ConnectionStatusService,
    DisconnectService,
    TokenEndpoint,
    TokenRefresher,
    TokenService,
  ],
  exports: [ConnectService, ConnectionStatusService, DisconnectService, TokenService],
})
export class OAuthModule {}
