export { type Delivery, type DeliveryDetail, DeliveryList } from './delivery.list';
export { DESTINATION_SECRETS } from './encrypted-table';
export { DestinationService } from './destination.service';
export { DestinationTester } from './destination-tester';
export { DELIVERY_STATUSES } from './delivery.entity';
export { OUTBOX_EVENT_TYPES } from './outbox';
export type { Destination, DestinationInput } from './destination';
export { PAUSED_DESTINATIONS } from './findings';
export { NotificationsModule } from './notifications.module';
