import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { CLOCK, type Clock } from '../../clock';
import { asService, inTransaction } from '../../database';
import { traceInHand } from '../../tracing';
import type { ClaimedDelivery } from './claimed-delivery';
import { DeliveryJobs } from './delivery-jobs';
import { DELIVERY_OPTIONS, type DeliveryOptions } from './delivery-options';
import { DeliveryList, type DeliveryDetail } from './delivery.list';
import { destinationNotFound } from './destination';
import { DestinationRepository } from './destination.repository';
import { DestinationSecrets } from './destination-secrets';
import { messageBody } from './outbox';

export const TEST_TYPE = 'destination.test';

/** Tests of destinations: deliveries that are stored with a lease and sent at once. */
@Injectable()
export class DestinationTester {
  constructor(
    private readonly dataSource: DataSource,
    private readonly destinations: DestinationRepository,
    private readonly secrets: DestinationSecrets,
    private readonly jobs: DeliveryJobs,
    private readonly deliveries: DeliveryList,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(DELIVERY_OPTIONS) private readonly options: Pick<DeliveryOptions, 'leaseSeconds'>,
  ) {}

  /** Sends a test now, to a paused destination too, and tells what came of it. It is not repeated. */
  async test(id: string, tenant: string | undefined): Promise<DeliveryDetail> {
    const delivery = await inTransaction(this.dataSource, (manager) => this.store(manager, id, tenant));
    await asService(async () => {
      const secrets = await this.secrets.signing(this.dataSource, id, new Date(this.clock.now()));
      await this.jobs.sendNow({ ...delivery, secrets });
    });
    return this.deliveries.find(delivery.id, tenant);
  }

  private async store(
    manager: EntityManager,
    destinationId: string,
    tenant: string | undefined,
  ): Promise<Omit<ClaimedDelivery, 'secrets'>> {
    const destination = await this.destinations.find(destinationId, tenant, manager);
    if (!destination) throw destinationNotFound();
    const at = new Date(this.clock.now());
    const [id, messageId, lease] = [uuidv7(), uuidv7(), uuidv7()];
    const { tenant: owner, url } = destination;
    const body = messageBody(TEST_TYPE, at, owner, { destinationId });
    const event = [messageId, owner, TEST_TYPE, body, at];
    await manager.query('INSERT INTO outbox (id, tenant, type, body, created_at) VALUES ($1, $2, $3, $4, $5)', event);
    await manager.query(
      `INSERT INTO deliveries (id, message_id, destination_id, tenant, type, status, attempts, give_up_at, once, lease_owner, lease_until, created_at, order_key, order_number)
       VALUES ($1, $2, $3, $4, $5, 'sending', 1, $6, true, $7, now() + make_interval(secs => $8::int), $6,
         CASE WHEN $9::boolean THEN hashtextextended($5, 0) END, CASE WHEN $9::boolean THEN nextval('delivery_order') END)`,
      [id, messageId, destinationId, owner, TEST_TYPE, at, lease, this.options.leaseSeconds, destination.ordered],
    );
    const facts = { tenant: owner, type: TEST_TYPE, body, traceparent: traceInHand() ?? null, url, once: true, failing: false };
    return { id, messageId, destinationId, lease, attempts: 1, ...facts };
  }
}
