import { Injectable } from '@nestjs/common';
import { AlertService, ProviderHealthService, WebhookEventList } from '../../integrations';

/** What the overview is made of, as far as a change of it is to be seen at once. */
@Injectable()
export class OverviewState {
  constructor(
    private readonly alerts: AlertService,
    private readonly events: WebhookEventList,
    private readonly health: ProviderHealthService,
  ) {}

  of(tenant: string | undefined): Promise<unknown> {
    return Promise.all([
      this.alerts.countOpen(tenant),
      this.events.queue(tenant).then(({ depth, inFlight, retrying, dead }) => ({ depth, inFlight, retrying, dead })),
      this.events.failing(tenant),
      this.health.inUse(tenant),
    ]);
  }
}
