export {
  DeliveryList,
  type Delivery,
  type DeliveryDetail,
  type DeliveryFilter,
  type DeliveryStatus,
  type DeliveryTry,
} from './delivery.list';
export type { Destination, DestinationInput, PauseReason } from './destination';
export { DestinationService, type WithSecret } from './destination.service';
export { OUTGOING_OPTIONS, type OutgoingOptions } from './outgoing-options';
export { OutgoingModule } from './outgoing.module';
