import { Injectable } from '@nestjs/common';
import { AlertService, EventSums, ProviderHealthService } from '../../integrations';

/** What the overview is made of, as far as a change of it is to be seen at once. */
@Injectable()
export class OverviewState {
  constructor(
    private readonly alerts: AlertService,
    private readonly sums: EventSums,
    private readonly health: ProviderHealthService,
  ) {}

  of(tenant: string | undefined): Promise<unknown> {
    return Promise.all([
      this.alerts.countOpen(tenant),
      this.sums.queue(tenant).then(({ depth, inFlight, retrying, dead }) => ({ depth, inFlight, retrying, dead })),
      this.sums.failing(tenant),
      this.health.inUse(tenant),
    ]);
  }
}
