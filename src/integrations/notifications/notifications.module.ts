import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DATABASE, OWN_DATA_SOURCE } from '../../database';
import { AuditModule } from '../audit';
import { ConnectionsModule, PersonalData } from '../connections';
import { NOTIFICATION_TABLES } from './held-tables';
import { AdminDeliveriesController } from './admin-deliveries.controller';
import { AdminDestinationsController } from './admin-destinations.controller';
import { FiguresModule } from '../figures';
import { OutboundModule } from '../outbound';
import { OutboxModule } from './outbox';
import { DeliveryEntity } from './delivery.entity';
import { DestinationEntity } from './destination.entity';
import { DestinationSecretEntity } from './destination-secret.entity';
import { DeliveryClaims } from './delivery-claims';
import { DeliveryList } from './delivery.list';
import { DeliveryJobs } from './delivery-jobs';
import { DELIVERY_DEFAULTS, DELIVERY_OPTIONS } from './delivery-options';
import { DeliverySender } from './delivery-sender';
import { DeliveryWakeUp } from './delivery-wake-up';
import { DestinationRepository } from './destination.repository';
import { DestinationSecrets } from './destination-secrets';
import { OperatorDestinations } from './operator-destinations';
import { DestinationService } from './destination.service';
import { DestinationTester } from './destination-tester';

/** Webhooks to the product: destinations, and the deliveries of what the outbox was given. */
@Module({
  imports: [
    FiguresModule,
    AuditModule,
    ConnectionsModule,
    OutboundModule,
    OutboxModule,
    TypeOrmModule.forFeature([DestinationEntity, DestinationSecretEntity, DeliveryEntity], DATABASE),
  ],
  controllers: [AdminDestinationsController, AdminDeliveriesController],
  providers: [
    OWN_DATA_SOURCE,
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
  ],
  exports: [DestinationService, DeliveryList, DestinationTester],
})
export class NotificationsModule {
  constructor(data: PersonalData) {
    data.register(NOTIFICATION_TABLES);
  }
}
