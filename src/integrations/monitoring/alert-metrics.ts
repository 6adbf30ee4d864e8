import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { asService } from '../../database';
import { readGauge } from '../../metrics';
import { AlertService } from './alert.service';

/** Open alerts, as `GET /metrics` gives them. */
@Injectable()
export class AlertMetrics implements OnApplicationBootstrap, OnApplicationShutdown {
  private remove?: () => void;

  constructor(private readonly alerts: AlertService) {}

  onApplicationBootstrap(): void {
    const facts = { name: 'trestle_alerts_open', help: 'Alerts that are open and that nobody has acknowledged, by rule and provider.' };
    this.remove = readGauge({ ...facts, labelNames: ['kind', 'provider'] }, () =>
      asService(async () =>
        (await this.alerts.countOpen(undefined)).map(({ kind, provider, open }) => ({
          labels: { kind, provider: provider ?? '' },
          value: open,
        })),
      ),
    );
  }

  onApplicationShutdown(): void {
    this.remove?.();
  }
}
