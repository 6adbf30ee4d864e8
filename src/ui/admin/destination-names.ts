import { Injectable } from '@nestjs/common';
import { DestinationService } from '../../integrations';

/** More than these have no name beside their deliveries. */
const MOST = 500;

/** The names of destinations, for lists that hold their ids. */
@Injectable()
export class DestinationNames {
  constructor(private readonly destinations: DestinationService) {}

  async for(tenant: string | undefined): Promise<(id: string) => string | undefined> {
    const names = new Map((await this.destinations.list(tenant, MOST)).map(({ id, name }) => [id, name]));
    return (id) => names.get(id);
  }
}
