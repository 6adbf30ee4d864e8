import { Global, Module } from '@nestjs/common';
import { AuditModule } from '../audit';
import { ConnectionsModule, OUTBOX, PersonalData } from '../connections';
import { NOTIFICATION_TABLES } from './held-tables';
import { AdminDeliveriesController } from './admin-deliveries.controller';
import { AdminDestinationsController } from './admin-destinations.controller';
import { RecordChangeBatches } from './record-change-batches';
import { Outbox } from './outbox';
import { DeliveryClaims } from './delivery-claims';
import { DeliveryList } from './delivery.list';
import { DeliveryJobs } from './delivery-jobs';
import { DELIVERY_DEFAULTS, DELIVERY_OPTIONS } from './delivery-options';
import { DeliverySender } from './delivery-sender';
import { DeliveryWakeUp } from './delivery-wake-up';
import { DestinationInterest } from './destination-interest';
import { DestinationRepository } from './destination.repository';
import { DestinationSecrets } from './destination-secrets';
import { OperatorDestinations } from './operator-destinations';
import { DestinationService } from './destination.service';
import { DestinationTester } from './destination-tester';

/** Webhooks to the product. Global for the sake of the outbox, into which the others write without knowing this folder. */
@Global()
@Module({
  imports: [AuditModule, ConnectionsModule],
  controllers: [AdminDestinationsController, AdminDeliveriesController],
  providers: [
    DestinationInterest,
    Outbox,
    RecordChangeBatches,
    DestinationRepository,
    DestinationSecrets,
    OperatorDestinations,
    DestinationService,
    DeliveryClaims,
    DeliverySender,
    DeliveryList,
    DeliveryJobs,
    DeliveryWakeUp,
    DestinationTester,
    { provide: DELIVERY_OPTIONS, useValue: DELIVERY_DEFAULTS },
    { provide: OUTBOX, useExisting: Outbox },
  ],
  exports: [OUTBOX, DestinationService, DeliveryList],
})
export class NotificationsModule {
  constructor(data: PersonalData) {
    data.register(NOTIFICATION_TABLES);
  }
}
