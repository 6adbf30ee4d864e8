import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import type { IncomingEvent } from '../../contract';
import { WakeUp } from '../../jobs';
import { Outbox } from '../../notifications/outbox';
import type { ClaimedEvent } from '../processing/claimed-event';
import { forwardedEventsOf } from './forwarding';
import { insertDeliveries } from './inbox-insert';
import { pointsAt } from '../stored-payload';

/**
 * An event of nobody has done its part, and keeps no body that is others': erased with them, it is gone. Where it was the last one that points
 * to the body, they have been erased already. $1 the event.
 */
const LET_GO = `
  WITH asked AS (
    UPDATE webhook_events e SET payload_id = NULL FROM (SELECT payload_id FROM webhook_events WHERE id = $1::uuid) b WHERE e.id = $1::uuid RETURNING b.payload_id)
  DELETE FROM webhook_payloads p USING asked a
  WHERE p.id = a.payload_id AND NOT EXISTS (SELECT 1 FROM webhook_events o WHERE ${pointsAt('o', 'p')} AND o.id <> $1::uuid)`;

/** Events of a delivery that concern more accounts than it said, once it is known which. */
@Injectable()
export class FurtherReceivers {
  constructor(
    private readonly outbox: Outbox,
    private readonly wakeUp: WakeUp,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * In the transaction of the event that found it out: the events, and what the product is to hear of them. Whoever has one already gets it
   * no second time. The body is stored once more, for those that are new.
   * @returns what is to be done once it is committed
   */
  async add(
    manager: EntityManager,
    { id, provider, payload, connection }: ClaimedEvent,
    events: readonly IncomingEvent[],
  ): Promise<() => void> {
    if (!connection) await manager.query(LET_GO, [id]);
    const stored = await insertDeliveries(manager, [{ provider, payload, events }]);
    await this.outbox.add(manager, forwardedEventsOf(stored, new Date(this.clock.now())));
    return () => {
      if (stored.length === 0) return;
      this.wakeUp.wake('webhooks');
      this.wakeUp.wake('deliveries');
    };
  }
}
