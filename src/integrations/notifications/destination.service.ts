import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import type { Principal } from '../../http-api';
import { AuditLog, type AuditAction, type AuditedAct } from '../audit';
import { DestinationHttp } from '../outbound';
import { WakeUp } from '../jobs';
import { destinationNotFound, destinationOf, type Destination, type DestinationInput, type NewDestination } from './destination';
import { DestinationInterest, OPERATOR } from './outbox';
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
    private readonly destinations: DestinationRepository,
    private readonly secrets: DestinationSecrets,
    private readonly interest: DestinationInterest,
    private readonly http: DestinationHttp,
    private readonly wakeUp: WakeUp,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'production'>,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly audit: AuditLog,
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

  /** Whose it is. @throws IntegrationError `not_found` */
  async ownerOf(id: string, tenant: string | undefined): Promise<string> {
    const row = await this.destinations.find(id, tenant);
    if (!row) throw destinationNotFound();
    return row.tenant;
  }

  /** @throws IntegrationError `forbidden` where all organizations' messages are no operator's; `destination_refused`, `invalid_request` where there are too many */
  async create(caller: Principal, input: NewDestination): Promise<WithSecret> {
    if (input.scope === 'all' && caller.role !== 'operator') throw new IntegrationError('forbidden');
    const tenant = input.scope === 'all' ? OPERATOR : caller.tenant;
    const id = uuidv7();
    const secret = await this.audit.within(actOn('destination.create', tenant, id), async (manager) => {
      this.assertAllowed(input.url);
      const count = await this.destinations.insert(manager, id, tenant, input);
      if (count > MAX_DESTINATIONS)
        throw new IntegrationError('invalid_request', { detail: `There can be ${MAX_DESTINATIONS} destinations.` });
      return this.secrets.create(manager, { id, tenant }, new Date(this.clock.now()));
    });
    this.interest.forget();
    return { ...(await this.find(id, tenant)), secret };
  }

  async update(id: string, tenant: string | undefined, change: Partial<DestinationInput>): Promise<Destination> {
    return this.change(id, tenant, (manager) => {
      if (change.url !== undefined) this.assertAllowed(change.url);
      return this.destinations.update(manager, id, change);
    });
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
    await this.held('destination.delete', id, tenant, (manager) => this.destinations.remove(manager, id));
    this.interest.forget();
  }

  /** The old secrets sign beside the new one for a while, so that a receiver can change over when it likes. */
  async rotate(id: string, tenant: string | undefined, overlapMs: number): Promise<WithSecret> {
    const secret = await this.held('destination.rotate-secret', id, tenant, (manager, owner) => {
      const now = this.clock.now();
      return this.secrets.rotate(manager, { id, tenant: owner }, new Date(now), new Date(now + overlapMs));
    });
    return { ...(await this.find(id, tenant)), secret };
  }

  private async change(id: string, tenant: string | undefined, work: (manager: EntityManager) => Promise<void>): Promise<Destination> {
    await this.held('destination.update', id, tenant, work);
    this.interest.forget();
    return this.find(id, tenant);
  }

  /** Works on a destination that nobody else changes meanwhile, and records it for the organization whose it is. */
  private async held<T>(
    action: AuditAction,
    id: string,
    tenant: string | undefined,
    work: (manager: EntityManager, owner: string) => Promise<T>,
  ): Promise<T> {
    const owner = await this.ownerOf(id, tenant);
    return this.audit.within(actOn(action, owner, id), async (manager) => {
      if ((await this.destinations.hold(manager, id, owner)) === undefined) throw destinationNotFound();
      return work(manager, owner);
    });
  }

  /** What can be told from the address alone; where a name leads is looked at with every connection. */
  private assertAllowed(url: string): void {
    this.http.assertAllowed(url);
    if (this.settings.production && new URL(url).protocol !== 'https:')
      throw new IntegrationError('destination_refused', { nextStep: 'Use an https address.', notExecuted: true });
  }
}

function actOn(action: AuditAction, tenant: string, id: string): AuditedAct {
  return { action, tenant, target: `destination:${id}` };
}
