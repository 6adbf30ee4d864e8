export { ACTION_DEFAULTS, type ActionAnswer, type ActionRequest, type ActionResult, type Operation } from './action';
export { isReplayed } from './action-outcome';
export { ActionReconciler, type Reconcile } from './action-reconciler';
export { ActionReplyInterceptor } from './action-reply.interceptor';
export { ActionService } from './action.service';
export { ActionSweeper } from './action.sweeper';
export { ActionsModule } from './actions.module';
