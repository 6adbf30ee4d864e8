import { Inject, Injectable, Optional } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { inTransaction } from '../../database';
import { IntegrationError } from '../../errors';
import { OutgoingHttp } from '../outbound';
import { WakeUp } from '../jobs';
import type { ClaimedDelivery, StoredSecret } from './claimed-delivery';
import { messageBody } from './outbox';
import { DeliveryClaims } from './delivery-claims';
import { DeliveryList, type DeliveryDetail } from './delivery.list';
import { DeliverySender } from './delivery-sender';
import { destinationOf, type Destination, type DestinationInput } from './destination';
import { DestinationInterest } from './destination-interest';
import { DestinationRepository } from './destination.repository';
import { DestinationSecrets } from './destination-secrets';
import { OUTGOING_DEFAULTS, OUTGOING_OPTIONS, type OutgoingOptions } from './delivery-options';

/** A tenant has no more: each costs a row for every message. */
export const MAX_DESTINATIONS = 20;
export const TEST_TYPE = 'destination.test';

export type WithSecret = Destination & {
  /** Shown this once. */
  readonly secret: string;
};

/** What administrators do with destinations. A tenant of undefined is an operator's: any. */
@Injectable()
export class DestinationService {
  private readonly options: OutgoingOptions;

  constructor(
    private readonly dataSource: DataSource,
    private readonly destinations: DestinationRepository,
    private readonly secrets: DestinationSecrets,
    private readonly interest: DestinationInterest,
    private readonly http: OutgoingHttp,
    private readonly sender: DeliverySender,
    private readonly claims: DeliveryClaims,
    private readonly deliveries: DeliveryList,
    private readonly wakeUp: WakeUp,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'production'>,
    @Inject(CLOCK) private readonly clock: Clock,
    @Optional() @Inject(OUTGOING_OPTIONS) options?: Partial<OutgoingOptions> | null,
  ) {
    this.options = { ...OUTGOING_DEFAULTS, ...options };
  }

  async list(tenant: string | undefined, limit: number, after?: string): Promise<Destination[]> {
    return (await this.destinations.list(tenant, limit, after)).map(destinationOf);
  }

  /** @throws IntegrationError `not_found` */
  async find(id: string, tenant: string | undefined): Promise<Destination> {
    const row = await this.destinations.find(id, tenant);
    if (!row) throw notFound();
    return destinationOf(row);
  }

  /** @throws IntegrationError `destination_refused`, `invalid_request` where there are too many */
  async create(tenant: string, input: DestinationInput): Promise<WithSecret> {
    this.assertAllowed(input.url);
    const id = uuidv7();
    const secret = await inTransaction(this.dataSource, async (manager) => {
      const count = await this.destinations.insert(manager, id, tenant, input);
      if (count > MAX_DESTINATIONS)
        throw new IntegrationError('invalid_request', { detail: `There can be ${MAX_DESTINATIONS} destinations.` });
      return this.secrets.create(manager, { id, tenant }, new Date(this.clock.now()));
    });
    this.interest.forget();
    return { ...(await this.find(id, tenant)), secret };
  }

  async update(id: string, tenant: string | undefined, change: Partial<DestinationInput>): Promise<Destination> {
    if (change.url !== undefined) this.assertAllowed(change.url);
    return this.change(id, tenant, (manager) => this.destinations.update(manager, id, change));
  }

  /** What happens meanwhile waits for it. */
  pause(id: string, tenant: string | undefined): Promise<Destination> {
    return this.change(id, tenant, (manager) => this.destinations.pause(manager, id));
  }

  async resume(id: string, tenant: string | undefined): Promise<Destination> {
    const resumed = await this.change(id, tenant, (manager) => this.destinations.resume(manager, id));
    this.wakeUp.wake('deliveries');
    return resumed;
  }

  async remove(id: string, tenant: string | undefined): Promise<void> {
    await inTransaction(this.dataSource, async (manager) => {
      if ((await this.destinations.hold(manager, id, tenant)) === undefined) throw notFound();
      await this.destinations.remove(manager, id);
    });
    this.interest.forget();
  }

  /** The old secrets sign beside the new one for a while, so that a receiver can change over when it likes. */
  async rotate(id: string, tenant: string | undefined, overlapMs: number): Promise<WithSecret> {
    const secret = await inTransaction(this.dataSource, async (manager) => {
      const owner = await this.destinations.hold(manager, id, tenant);
      if (owner === undefined) throw notFound();
      const now = this.clock.now();
      return this.secrets.rotate(manager, { id, tenant: owner }, new Date(now), new Date(now + overlapMs));
    });
    return { ...(await this.find(id, tenant)), secret };
  }

  /** Sends a test now, to a paused destination too, and tells what came of it. It is not repeated. */
  async test(id: string, tenant: string | undefined): Promise<DeliveryDetail> {
    const delivery = await inTransaction(this.dataSource, (manager) => this.prepareTest(manager, id, tenant));
    await this.claims.settle(delivery, await this.sender.send(delivery));
    return this.deliveries.find(delivery.id, tenant);
  }

  private async prepareTest(manager: EntityManager, id: string, tenant: string | undefined): Promise<ClaimedDelivery> {
    const destination = await this.destinations.find(id, tenant, manager);
    if (!destination) throw notFound();
    const at = new Date(this.clock.now());
    const body = messageBody(TEST_TYPE, at, { destinationId: id });
    const [deliveryId, messageId, leaseOwner] = [uuidv7(), uuidv7(), uuidv7()];
    await manager.query('INSERT INTO outbox (id, tenant, type, body, created_at) VALUES ($1, $2, $3, $4, $5)', [
      messageId,
      destination.tenant,
      TEST_TYPE,
      body,
      at,
    ]);
    await manager.query(
      `INSERT INTO deliveries (id, message_id, destination_id, tenant, type, status, attempts, give_up_at, once, lease_owner, lease_until, created_at)
       VALUES ($1, $2, $3, $4, $5, 'sending', 1, $6, true, $7, now() + make_interval(secs => $8::int), $6)`,
      [deliveryId, messageId, id, destination.tenant, TEST_TYPE, at, leaseOwner, this.options.leaseSeconds],
    );
    const secrets = await manager.query<StoredSecret[]>(
      'SELECT id, secret FROM destination_secrets WHERE destination_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY created_at DESC, id DESC',
      [id, at],
    );
    const { url } = destination;
    return {
      id: deliveryId,
      messageId,
      destinationId: id,
      tenant: destination.tenant,
      type: TEST_TYPE,
      attempts: 1,
      once: true,
      leaseOwner,
      body,
      url,
      failing: false,
      secrets,
    };
  }

  private async change(id: string, tenant: string | undefined, work: (manager: EntityManager) => Promise<void>): Promise<Destination> {
    await inTransaction(this.dataSource, async (manager) => {
      if ((await this.destinations.hold(manager, id, tenant)) === undefined) throw notFound();
      await work(manager);
    });
    this.interest.forget();
    return this.find(id, tenant);
  }

  /** What can be told from the address alone; where a name leads is looked at with every connection. */
  private assertAllowed(url: string): void {
    this.http.assertAllowed(url);
    if (this.settings.production && new URL(url).protocol !== 'https:')
      throw new IntegrationError('destination_refused', { nextStep: 'Use an https address.', notExecuted: true });
  }
}

function notFound(): IntegrationError {
  return new IntegrationError('not_found', { detail: 'There is no such destination.' });
}
