import { Injectable } from '@nestjs/common';
import { DeliveryList, DestinationService } from '../../integrations';
import { PAGE_ROWS } from '../admin/list-query';

/** What the pages of destinations and deliveries are made of. */
@Injectable()
export class NotificationStates {
  constructor(
    private readonly deliveries: DeliveryList,
    private readonly destinationList: DestinationService,
  ) {}

  newest(tenant: string | undefined): Promise<unknown> {
    return this.deliveries.list({ tenant, limit: PAGE_ROWS });
  }

  delivery(id: string, tenant: string | undefined): Promise<unknown> {
    return this.deliveries.find(id, tenant);
  }

  destinations(tenant: string | undefined): Promise<unknown> {
    return this.destinationList.list(tenant, PAGE_ROWS);
  }

  destination(id: string, tenant: string | undefined): Promise<unknown> {
    return Promise.all([this.destinationList.find(id, tenant), this.deliveries.list({ tenant, destinationId: id, limit: PAGE_ROWS })]);
  }
}
