import { Module } from '@nestjs/common';
import { OWN_DATA_SOURCE } from '../../../database';
import { ConnectionsModule } from '../connections.module';
import { AdminPersonalDataController } from './admin-personal-data.controller';
import { EndedConnections } from './ended-connections';

/** Erase and export for administrators, and the end of what is kept of ended connections. */
@Module({ imports: [ConnectionsModule], controllers: [AdminPersonalDataController], providers: [OWN_DATA_SOURCE, EndedConnections] })
export class PersonalDataModule {}
