import { Module } from '@nestjs/common';
import { ConnectionsModule } from '../connections.module';
import { AdminPersonalDataController } from './admin-personal-data.controller';
import { EndedConnections } from './ended-connections';

/** Erase and export for administrators, and the end of what is kept of ended connections. */
@Module({ imports: [ConnectionsModule], controllers: [AdminPersonalDataController], providers: [EndedConnections] })
export class PersonalDataModule {}
