import { Inject, Injectable } from '@nestjs/common';
import { html, type Html } from '../../http-api';
import { CLOCK, type Clock } from '../../clock';
import {
  AlertService,
  DayFiguresService,
  EventSums,
  ProviderRegistry,
  SyncService,
  type AlertCount,
  type DayFigures,
  type FailingEvents,
  type ProviderHealth,
  type WaitingRuns,
} from '../../integrations';
import { pill } from '../layout';
import { sparkline, type Sparkline } from '../sparkline';
import { table } from '../table';
import { errorShare, maybeTime, providerHealthCell } from './health-cell';
import { PROVIDERS_PATH } from './admin-links';
import { statusPill } from './status-words';

/** What the table of the providers is made of, beside their health. */
export interface Circumstances {
  readonly alerts: readonly AlertCount[];
  readonly events: readonly FailingEvents[];
  readonly figures: DayFigures;
  readonly nowMs: number;
}

/** What is said beside the health of providers: open alerts, failing events, the traffic of the day. */
@Injectable()
export class ProviderCircumstances {
  constructor(
    private readonly alerts: AlertService,
    private readonly sums: EventSums,
    private readonly dayFigures: DayFiguresService,
    private readonly registry: ProviderRegistry,
    private readonly syncs: SyncService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async of(tenant: string | undefined): Promise<Circumstances> {
    const [alerts, events, figures] = await Promise.all([
      this.alerts.countOpen(tenant),
      this.sums.failing(tenant),
      this.dayFigures.of(tenant),
    ]);
    return { alerts, events, figures, nowMs: this.clock.now() };
  }

  /** Syncs of these providers that wait for another try. */
  async waitingRuns(tenant: string | undefined, providers: readonly string[]): Promise<readonly WaitingRuns[]> {
    return providers.length > 0 ? this.syncs.failing(tenant, providers) : [];
  }

  healthTable(providers: readonly ProviderHealth[], { alerts, events, figures, nowMs }: Circumstances): Html {
    const rows = providers.map((health) => {
      const provider = this.registry.get(health.provider);
      const traffic = figures.providers.find(({ provider: key }) => key === health.provider)?.hourly;
      return [
        html`<a href="${PROVIDERS_PATH}/${health.provider}">${provider.name}</a> ${!provider.configured && pill('soft', 'Not configured')}`,
        providerHealthCell(
          health,
          nowMs,
          alerts.reduce((sum, each) => sum + (each.provider === health.provider ? each.open : 0), 0),
          events.find((each) => each.provider === health.provider),
        ),
        html`${errorShare(health.errorRate24h)} ${bars('Failed requests', 'bad', traffic?.failed)}`,
        html`${health.requests24h.toLocaleString('en')} ${bars('Requests', 'soft', traffic?.requests)}`,
        maybeTime(health.lastSuccess, nowMs),
        maybeTime(health.lastFailure, nowMs),
        health.connections.connected.toLocaleString('en'),
        health.connections.needsReauth.toLocaleString('en'),
        health.circuit === 'open' ? pill('bad', 'Open') : statusPill(health.circuit),
      ];
    });
    return table(
      'Health of the providers',
      ['Provider', 'Status', 'Errors', 'Requests', 'Last success', 'Last failure', 'Connected', 'Reconnect needed', 'Circuit'],
      rows,
      'No provider is registered.',
    );
  }
}

function bars(what: string, tone: Sparkline['tone'], values: readonly number[] | undefined): Html | undefined {
  return values?.some((value) => value > 0) ? sparkline({ what, values, tone }) : undefined;
}
