export { type Delivery, type DeliveryDetail, DeliveryList } from './delivery.list';
export { DESTINATION_SECRETS } from './encrypted-table';
export { DestinationService } from './destination.service';
export type { Destination, DestinationInput } from './destination';
export { PAUSED_DESTINATIONS } from './findings';
export { NotificationsModule } from './notifications.module';
