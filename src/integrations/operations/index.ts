export { ActionReconciler, type Reconcile } from './action-reconciler';
export { ActionReplyInterceptor } from './action-reply.interceptor';
export { ActionService } from './action.service';
export type { ActionAnswer, ActionResult, Operation } from './action';
export { OperationsModule } from './operations.module';
export { ProxyController } from './proxy/proxy.controller';
