import { Module } from '@nestjs/common';
import { ConnectionsModule } from '../connections';
import { OutboundModule } from '../outbound';
import { ProxyController } from './proxy/proxy.controller';
import { ProxyService } from './proxy/proxy.service';
import { ActionReconciler } from './action-reconciler';
import { ActionRepository } from './action.repository';
import { ActionService } from './action.service';
import { ActionSweeper } from './action.sweeper';

/** Idempotent actions with a recorded outcome. */
@Module({
  imports: [ConnectionsModule, OutboundModule],
  controllers: [ProxyController],
  providers: [ActionReconciler, ActionRepository, ActionService, ActionSweeper, ProxyService],
  exports: [ActionReconciler, ActionService],
})
export class OperationsModule {}
