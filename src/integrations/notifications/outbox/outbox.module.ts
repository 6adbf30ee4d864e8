import { Module } from '@nestjs/common';
import { OWN_DATA_SOURCE } from '../../../database';
import { DestinationInterest } from './destination-interest';
import { Outbox } from './outbox';
import { RecordChangeBatches } from './record-change-batches';

/** The outbox, into which everybody writes what the product is to hear of, without knowing who delivers it. */
@Module({
  providers: [OWN_DATA_SOURCE, DestinationInterest, Outbox, RecordChangeBatches],
  exports: [DestinationInterest, Outbox, RecordChangeBatches],
})
export class OutboxModule {}
