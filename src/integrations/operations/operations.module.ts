import { Module } from '@nestjs/common';
import { ConnectionsModule } from '../connections';
import { OutboundModule } from '../outbound';
import { OperationRegistry } from './operation-registry';
import { OperationService } from './operation.service';
import { OperationsController } from './operations.controller';
import { ProxyController } from './proxy/proxy.controller';
import { ProxyService } from './proxy/proxy.service';
import { ActionReconciler } from './action-reconciler';
import { ActionRepository } from './action.repository';
import { ActionService } from './action.service';
import { ActionSweeper } from './action.sweeper';

/** Operations and the proxy: carried out once, with a recorded outcome. */
@Module({
  imports: [ConnectionsModule, OutboundModule],
  controllers: [OperationsController, ProxyController],
  providers: [ActionReconciler, ActionRepository, ActionService, ActionSweeper, OperationRegistry, OperationService, ProxyService],
  exports: [OperationRegistry, OperationService],
})
export class OperationsModule {}
