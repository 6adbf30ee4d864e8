import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ConnectionsModule } from '../connections';
import { EncryptionKeyEntity } from './encryption-key.entity';
import { KeyCheckService } from './key-check.service';

/** The keys that encrypt: whether they are those of the database. The command `keys` rotates them. */
@Module({ imports: [ConnectionsModule, TypeOrmModule.forFeature([EncryptionKeyEntity])], providers: [KeyCheckService] })
export class KeysModule {}
