import { Module } from '@nestjs/common';
import { ConnectionsModule } from '../connections';
import { ActionRepository } from './action.repository';
import { ActionService } from './action.service';
import { ActionSweeper } from './action.sweeper';

/** Idempotent actions with a recorded outcome. */
@Module({
  imports: [ConnectionsModule],
  providers: [ActionRepository, ActionService, ActionSweeper],
  exports: [ActionService],
})
export class ActionsModule {}
