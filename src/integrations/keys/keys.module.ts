import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DATABASE, OWN_DATA_SOURCE } from '../../database';
import { ConnectionsModule } from '../connections';
import { EncryptionKeyEntity } from './encryption-key.entity';
import { KeyCheckService } from './key-check.service';
import { SealTasks } from './seal-tasks';

/** The keys that encrypt: whether they are those of the database. The command `keys` rotates them. And seals of connections from before there were any. */
@Module({
  imports: [ConnectionsModule, TypeOrmModule.forFeature([EncryptionKeyEntity], DATABASE)],
  providers: [OWN_DATA_SOURCE, KeyCheckService, SealTasks],
})
export class KeysModule {}
