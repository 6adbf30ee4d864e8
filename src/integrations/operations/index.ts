export { ActionReplyInterceptor } from './action-reply.interceptor';
export { ACTION_RESPONSES } from './encrypted-table';
export type { ActionResult } from './action';
export { defineOperation, type Operation, type OperationCall } from './operation';
export { OperationRegistry } from './operation-registry';
export { OperationService, type OperationRequest } from './operation.service';
export type { OperationView } from './operation-view';
export { OperationsModule } from './operations.module';
