import { Global, Module } from '@nestjs/common';
import { OUTBOX } from '../../connections';
import { DELIVERY_DEFAULTS } from '../delivery-options';
import { DestinationInterest } from '../destination-interest';
import { Outbox } from '../outbox';

/** The outbox, which every part that tells something requires, for tests in which nothing is delivered. */
@Global()
@Module({
  providers: [
    DestinationInterest,
    {
      provide: OUTBOX,
      useFactory: (interest: DestinationInterest) => new Outbox(interest, DELIVERY_DEFAULTS),
      inject: [DestinationInterest],
    },
  ],
  exports: [OUTBOX],
})
export class OutboxOnlyModule {}
