export { OperationReplyInterceptor } from './operation-reply.interceptor';
export { EXECUTION_RESPONSES } from './encrypted-table';
export type { OperationResult } from './execution';
export { defineOperation, type Operation, type OperationCall } from './operation';
export { OperationRegistry } from './operation-registry';
export { OperationService, type OperationRequest } from './operation.service';
export type { OperationView } from './operation-view';
export { OperationsModule } from './operations.module';
export { PlainOperationsModule } from './plain/plain-operations.module';
