import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DATABASE, OWN_DATA_SOURCE } from '../../database';
import { AuditModule } from '../audit';
import { ConnectionsModule, PersonalData } from '../connections';
import { OPERATION_TABLES } from './held-tables';
import { OperationRegistry } from './operation-registry';
import { OperationService } from './operation.service';
import { OperationsController } from './operations.controller';
import { ProxyController } from './proxy/proxy.controller';
import { ProxyService } from './proxy/proxy.service';
import { ExecutionEntity } from './execution.entity';
import { ExecutionJobs } from './execution-jobs';
import { ExecutionReconciler } from './execution-reconciler';
import { ExecutionRepository } from './execution.repository';
import { ExecutionService } from './execution.service';

/** Operations and the proxy: carried out once, with a recorded outcome. */
@Module({
  imports: [AuditModule, ConnectionsModule, TypeOrmModule.forFeature([ExecutionEntity], DATABASE)],
  controllers: [OperationsController, ProxyController],
  providers: [
    OWN_DATA_SOURCE,
    ExecutionReconciler,
    ExecutionRepository,
    ExecutionService,
    ExecutionJobs,
    OperationRegistry,
    OperationService,
    ProxyService,
  ],
  exports: [OperationRegistry, OperationService],
})
export class OperationsModule {
  constructor(data: PersonalData) {
    data.register(OPERATION_TABLES);
  }
}
