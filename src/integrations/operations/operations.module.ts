import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DATABASE, OWN_DATA_SOURCE } from '../../database';
import { AuditModule } from '../audit';
import { ConnectionsModule, PersonalData } from '../connections';
import { OPERATION_TABLES } from './held-tables';
import { OperationRegistry } from './operation-registry';
import { OperationService } from './operation.service';
import { OperationsController } from './operations.controller';
import { AppProxyController } from './proxy/app-proxy.controller';
import { AppProxyService } from './proxy/app-proxy.service';
import { ProxyController } from './proxy/proxy.controller';
import { ProxyExchange } from './proxy/proxy-exchange';
import { ProxyService } from './proxy/proxy.service';
import { ExecutionEntity } from './execution.entity';
import { ExecutionJobs } from './execution-jobs';
import { ExecutionReconciler } from './execution-reconciler';
import { ExecutionRepository } from './execution.repository';
import { ExecutionService } from './execution.service';

/** Operations and the proxy: carried out once, with a recorded outcome. */
@Module({
  imports: [AuditModule, ConnectionsModule, TypeOrmModule.forFeature([ExecutionEntity], DATABASE)],
  controllers: [OperationsController, ProxyController, AppProxyController],
  providers: [
    OWN_DATA_SOURCE,
    ExecutionReconciler,
    ExecutionRepository,
    ExecutionService,
    ExecutionJobs,
    OperationRegistry,
    OperationService,
    ProxyExchange,
    ProxyService,
    AppProxyService,
  ],
  exports: [OperationRegistry, OperationService],
})
export class OperationsModule {
  constructor(data: PersonalData) {
    data.register(OPERATION_TABLES);
  }
}
