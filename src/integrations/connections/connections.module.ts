import { Module } from '@nestjs/common';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { ConnectionRepository } from './connection.repository';
import { IntegrationEvents } from './integration-events';
import { KeyCheckService } from './key-check.service';
import { KeyRotationService } from './key-rotation.service';
import { SecretBox } from './secret-box';
import { TokenRepository } from './token.repository';

/** Connections and their secrets. */
@Module({
  providers: [
    { provide: SecretBox, inject: [SETTINGS], useFactory: (settings: Settings) => new SecretBox(settings.encryptionKeys) },
    KeyCheckService,
    KeyRotationService,
    ConnectionRepository,
    TokenRepository,
    IntegrationEvents,
  ],
  exports: [SecretBox, KeyCheckService, KeyRotationService, ConnectionRepository, TokenRepository, IntegrationEvents],
})
export class ConnectionsModule {}
