import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { inTransaction } from '../../database';
import { IntegrationError } from '../../errors';
import { OutgoingHttp } from '../outbound';
import { WakeUp } from '../jobs';
import { destinationNotFound, destinationOf, type Destination, type DestinationInput } from './destination';
import { DestinationInterest } from './outbox';
import { DestinationRepository } from './destination.repository';
import { DestinationSecrets } from './destination-secrets';

/** A tenant has no more: each costs a row for every event. */
export const MAX_DESTINATIONS = 20;

export type WithSecret = Destination & {
  /** Shown this once. */
  readonly secret: string;
};

/** What administrators do with destinations. A tenant of undefined is an operator's: any. */
@Injectable()
export class DestinationService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly destinations: DestinationRepository,
    private readonly secrets: DestinationSecrets,
    private readonly interest: DestinationInterest,
    private readonly http: OutgoingHttp,
    private readonly wakeUp: WakeUp,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'production'>,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async list(tenant: string | undefined, limit: number, after?: string): Promise<Destination[]> {
    return (await this.destinations.list(tenant, limit, after)).map(destinationOf);
  }

  /** @throws IntegrationError `not_found` */
  async find(id: string, tenant: string | undefined): Promise<Destination> {
    const row = await this.destinations.find(id, tenant);
    if (!row) throw destinationNotFound();
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
      if ((await this.destinations.hold(manager, id, tenant)) === undefined) throw destinationNotFound();
      await this.destinations.remove(manager, id);
    });
    this.interest.forget();
  }

  /** The old secrets sign beside the new one for a while, so that a receiver can change over when it likes. */
  async rotate(id: string, tenant: string | undefined, overlapMs: number): Promise<WithSecret> {
    const secret = await inTransaction(this.dataSource, async (manager) => {
      const owner = await this.destinations.hold(manager, id, tenant);
      if (owner === undefined) throw destinationNotFound();
      const now = this.clock.now();
      return this.secrets.rotate(manager, { id, tenant: owner }, new Date(now), new Date(now + overlapMs));
    });
    return { ...(await this.find(id, tenant)), secret };
  }

  private async change(id: string, tenant: string | undefined, work: (manager: EntityManager) => Promise<void>): Promise<Destination> {
    await inTransaction(this.dataSource, async (manager) => {
      if ((await this.destinations.hold(manager, id, tenant)) === undefined) throw destinationNotFound();
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
