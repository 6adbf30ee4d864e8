export { toRef, type Connection, type ConnectionFault, type ConnectionStatus, type ConnectionWithSync } from './connection';
export { ConnectionRepository, maySee, type ConnectionViewer } from './connection.repository';
export { ConnectionsModule } from './connections.module';
export { actionBinding, destinationSecretBinding } from './encrypted-columns';
export {
  INTEGRATION_EVENT_TYPES,
  IntegrationEvents,
  type IntegrationEvent,
  type IntegrationEventType,
  type IntegrationListener,
} from './integration-events';
export { KeyRotationService, type KeyUse, type RotationReport } from './key-rotation.service';
export {
  OUTGOING_OUTBOX,
  OUTGOING_TYPES,
  type OutgoingFact,
  type OutgoingOutbox,
  type OutgoingType,
  type RecordChanges,
} from './outgoing-outbox';
export { bindingOf, SecretBox, UnreadableSecret } from './secret-box';
export type { SqlRunner } from './sql-runner';
export { TokenRepository, type StoredToken, type TokenState } from './token.repository';
