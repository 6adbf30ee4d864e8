export { type Delivery, type DeliveryDetail, DeliveryList } from './delivery.list';
export { DestinationService } from './destination.service';
export type { Destination, DestinationInput } from './destination';
export { NotificationsModule } from './notifications.module';
