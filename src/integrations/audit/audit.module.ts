import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DATABASE, OWN_DATA_SOURCE } from '../../database';
import { AdminAuditController } from './admin-audit.controller';
import { AuditEntryEntity } from './audit-entry.entity';
import { AuditExport } from './audit-export';
import { AuditLog } from './audit-log';
import { AuditPartitions } from './audit-partitions';
import { SessionAudit } from './session-audit';

/** Records who did what, for whom, and what came of it. */
@Module({
  imports: [TypeOrmModule.forFeature([AuditEntryEntity], DATABASE)],
  providers: [OWN_DATA_SOURCE, AuditLog],
  exports: [AuditLog],
})
export class AuditModule {}

/** What administrators read of it, and the months that are made and dropped. */
@Module({
  imports: [AuditModule],
  controllers: [AdminAuditController],
  providers: [OWN_DATA_SOURCE, AuditExport, AuditPartitions, SessionAudit],
  exports: [AuditModule, AuditExport],
})
export class AuditAdminModule {}
