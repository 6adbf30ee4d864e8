import { Injectable } from '@nestjs/common';
import { visibleTenant, type SessionPrincipal } from '../../http-api';
import { findIntegrationError } from '../../errors';
import {
  AlertService,
  ConnectionRepository,
  DeliveryList,
  DestinationService,
  ProviderRegistry,
  RequestLogReader,
  SyncService,
  WebhookEventList,
} from '../../integrations';
import { addressOf } from '../table';
import { ALERTS_PATH, CONNECTIONS_PATH, DELIVERIES_PATH, DESTINATIONS_PATH, EVENTS_PATH, REQUESTS_PATH, RUNS_PATH } from './admin-links';

/** Something that was meant, perhaps. */
export interface Found {
  /** e.g. "Sync run", "Connections of this user". */
  readonly what: string;
  readonly href: string;
}

/** An id, as it is or as the audit writes it: `connection:0198...`. */
const ID = /^(?:[a-z-]+:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/** Finds what people name by an id, an account, a user or an organization; each caller among what it may see. */
@Injectable()
export class Lookup {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly events: WebhookEventList,
    private readonly syncs: SyncService,
    private readonly requests: RequestLogReader,
    private readonly deliveries: DeliveryList,
    private readonly destinations: DestinationService,
    private readonly alerts: AlertService,
    private readonly registry: ProviderRegistry,
  ) {}

  async find(text: string, caller: SessionPrincipal): Promise<Found[]> {
    const id = ID.exec(text)?.[1]?.toLowerCase();
    const byId = id === undefined ? [] : await this.ofId(id, caller);
    return byId.length > 0 ? byId : this.ofName(text, caller);
  }

  private async ofId(id: string, caller: SessionPrincipal): Promise<Found[]> {
    const tenant = visibleTenant(caller);
    const one = (what: string, path: string) => ({ what, href: `${path}/${id}` });
    const found = await Promise.all([
      there(this.connections.findWithSync(caller, id)).then((is) => is && one('Connection', CONNECTIONS_PATH)),
      there(this.events.find(id, tenant)).then((is) => is && one('Webhook event', EVENTS_PATH)),
      this.syncs.list({ id, tenant, limit: 1 }).then(([run]) => run && one('Sync run', RUNS_PATH)),
      this.requests.list({ id, tenant, limit: 1 }).then(([request]) => request && one('Request', REQUESTS_PATH)),
      there(this.deliveries.find(id, tenant)).then((is) => is && one('Delivery', DELIVERIES_PATH)),
      there(this.destinations.find(id, tenant)).then((is) => is && one('Destination', DESTINATIONS_PATH)),
      there(this.alerts.find(id, tenant)).then((is) => is && one('Alert', ALERTS_PATH)),
      this.deliveries
        .ofMessage(id, tenant)
        .then((all) => all.map((each) => ({ what: 'Delivery of this message', href: `${DELIVERIES_PATH}/${each.id}` }))),
    ]);
    return found.flat().filter((each): each is Found => typeof each === 'object');
  }

  private async ofName(text: string, caller: SessionPrincipal): Promise<Found[]> {
    const keys = this.registry.all().map(({ key }) => key);
    const provider = this.registry.all().find(({ key, name }) => [key, name.toLowerCase()].includes(text.toLowerCase()));
    const events = await this.events.ofProviderId(text, keys, visibleTenant(caller));
    const ofConnections = [
      await this.connectionsBy({ account: text }, 'of this account', caller),
      await this.connectionsBy({ userId: text }, 'of this user', caller),
      ...(caller.role === 'operator' ? [await this.connectionsBy({ tenant: text }, 'of this organization', caller)] : []),
    ];
    return [
      ...events.map(({ id, type, provider: key }) => ({
        what: `Webhook event ${type} of ${this.registry.nameOf(key)}`,
        href: `${EVENTS_PATH}/${id}`,
      })),
      ...ofConnections.flat(),
      ...(provider ? [{ what: `The provider ${provider.name}`, href: `/admin/providers/${provider.key}` }] : []),
    ];
  }

  /** The page of the only one, or the list. */
  private async connectionsBy(
    filter: { account?: string; userId?: string; tenant?: string },
    whose: string,
    caller: SessionPrincipal,
  ): Promise<Found[]> {
    const [only, another] = await this.connections.list(caller, { ...filter, limit: 2 });
    if (!only) return [];
    if (another) return [{ what: `Connections ${whose}`, href: addressOf(CONNECTIONS_PATH, filter) }];
    return [
      { what: `Connection ${whose}: ${this.registry.nameOf(only.provider)}, ${only.accountName}`, href: `${CONNECTIONS_PATH}/${only.id}` },
    ];
  }
}

/** Whether it is there; what is not, or is somebody else's, is not found. */
async function there(looked: Promise<unknown>): Promise<boolean> {
  try {
    await looked;
    return true;
  } catch (error) {
    const code = findIntegrationError(error)?.code;
    if (code === 'not_found' || code === 'connection_not_found') return false;
    throw error;
  }
}
