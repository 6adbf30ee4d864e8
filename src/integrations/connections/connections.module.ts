import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DATABASE, OWN_DATA_SOURCE } from '../../database';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { AuditModule } from '../audit';
import { OutboxModule } from '../notifications/outbox';
import { OutboundModule } from '../outbound';
import { AppHttp } from './app-http';
import { GovernedHttp } from './governed-http';
import { ConnectParticipants } from './connect-participants';
import { ConnectionCounts } from './connection-counts';
import { ConnectionMetrics } from './connection-metrics';
import { ConnectionEntity } from './connection.entity';
import { ConnectionRepository } from './connection.repository';
import { ConnectionPolicyService } from './connection-policy.service';
import { ConnectionStatusService } from './connection-status.service';
import { ConnectionViews } from './connection-views';
import { DisconnectService } from './disconnect.service';
import { CONNECTION_TABLES } from './held-tables';
import { Erasure } from './personal-data/erasure';
import { PersonalData } from './personal-data/personal-data';
import { OauthClientEntity } from './clients/oauth-client.entity';
import { OauthClientsService } from './clients/oauth-clients.service';
import { TenantProviders } from './clients/tenant-providers';
import { GrantEntity } from './grant.entity';
import { IntegrationEvents } from '../integration-events';
import { AppTokens } from './tokens/app-tokens';
import { TokenEndpoint } from './tokens/token-endpoint';
import { TokenRefresher } from './tokens/token-refresher';
import { TokenService } from './tokens/token.service';
import { ConnectionSeals } from './seals/connection-seals';
import { SecretBox } from './tokens/secret-box';
import { SharedTokens } from './tokens/shared-tokens';
import { TokenEntity } from './tokens/token.entity';
import { TokenRefreshEntity } from './tokens/token-refresh.entity';
import { TokenRepository } from './tokens/token.repository';

/** Connections, their secrets, valid tokens, calls with them, disconnecting. */
@Module({
  imports: [
    AuditModule,
    OutboxModule,
    OutboundModule,
    TypeOrmModule.forFeature([ConnectionEntity, GrantEntity, OauthClientEntity, TokenEntity, TokenRefreshEntity], DATABASE),
  ],
  providers: [
    OWN_DATA_SOURCE,
    { provide: SecretBox, inject: [SETTINGS], useFactory: (settings: Settings) => new SecretBox(settings.encryptionKeys) },
    ConnectParticipants,
    ConnectionCounts,
    ConnectionMetrics,
    ConnectionSeals,
    ConnectionRepository,
    TokenRepository,
    IntegrationEvents,
    ConnectionStatusService,
    ConnectionPolicyService,
    ConnectionViews,
    DisconnectService,
    PersonalData,
    Erasure,
    TokenEndpoint,
    TokenRefresher,
    TokenService,
    SharedTokens,
    TenantProviders,
    OauthClientsService,
    GovernedHttp,
    AppTokens,
    AppHttp,
  ],
  exports: [
    ConnectParticipants,
    SecretBox,
    ConnectionCounts,
    ConnectionSeals,
    ConnectionRepository,
    TokenRepository,
    IntegrationEvents,
    ConnectionStatusService,
    ConnectionPolicyService,
    ConnectionViews,
    DisconnectService,
    PersonalData,
    Erasure,
    TokenEndpoint,
    TokenService,
    GovernedHttp,
    AppHttp,
    TenantProviders,
    OauthClientsService,
  ],
})
export class ConnectionsModule {
  constructor(data: PersonalData) {
    data.register(CONNECTION_TABLES);
  }
}
