export { DestinationInterest } from './destination-interest';
export { GIVE_UP_AFTER_MS, bodyWithPayload, messageBody, Outbox } from './outbox';
export type { Match } from './match';
export { OPERATOR, OUTBOX_EVENT_TYPES, type OutboxEvent, type OutboxEventType, type RecordChanges } from './outbox-event';
export { OutboxModule } from './outbox.module';
export { RecordChangeBatches } from './record-change-batches';
