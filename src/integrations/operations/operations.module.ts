import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit';
import { ConnectionsModule, PersonalData } from '../connections';
import { OPERATION_TABLES } from './held-tables';
import { OperationRegistry } from './operation-registry';
import { OperationService } from './operation.service';
import { OperationsController } from './operations.controller';
import { ProxyController } from './proxy/proxy.controller';
import { ProxyService } from './proxy/proxy.service';
import { ActionEntity } from './action.entity';
import { ActionJobs } from './action-jobs';
import { ActionReconciler } from './action-reconciler';
import { ActionRepository } from './action.repository';
import { ActionService } from './action.service';

/** Operations and the proxy: carried out once, with a recorded outcome. */
@Module({
  imports: [AuditModule, ConnectionsModule, TypeOrmModule.forFeature([ActionEntity])],
  controllers: [OperationsController, ProxyController],
  providers: [ActionReconciler, ActionRepository, ActionService, ActionJobs, OperationRegistry, OperationService, ProxyService],
  exports: [OperationRegistry, OperationService],
})
export class OperationsModule {
  constructor(data: PersonalData) {
    data.register(OPERATION_TABLES);
  }
}
