import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DATABASE, OWN_DATA_SOURCE } from '../../database';
import { ConnectionsModule } from '../connections';
import { AdminKeysController } from './admin-keys.controller';
import { EncryptionKeyEntity } from './encryption-key.entity';
import { KeyCheckService } from './key-check.service';
import { KeyRotationService } from './key-rotation.service';
import { SealTasks } from './seal-tasks';

/** The keys that encrypt: whether they are those of the database. The command `keys` rotates them; operators see which is needed by how many rows. And seals of connections from before there were any. */
@Module({
  imports: [ConnectionsModule, TypeOrmModule.forFeature([EncryptionKeyEntity], DATABASE)],
  controllers: [AdminKeysController],
  providers: [OWN_DATA_SOURCE, KeyCheckService, KeyRotationService, SealTasks],
  exports: [KeyRotationService],
})
export class KeysModule {}
