import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Counter } from 'prom-client';
import { asService } from '../../database';
import { metricsRegistry, readGauge } from '../../metrics';
import { ConnectionCounts } from './connection-counts';

export const tokenRefreshes = new Counter({
  name: 'trestle_token_refreshes_total',
  help: 'Renewals of tokens: renewed, refused (the person has to reconnect), failed (tried again), shared (another process did it).',
  labelNames: ['provider', 'outcome'] as const,
  registers: [metricsRegistry],
});

const COUNT_AGAIN_MS = 60_000;

/** Connections by provider and status, as `GET /metrics` gives them. */
@Injectable()
export class ConnectionMetrics implements OnApplicationBootstrap, OnApplicationShutdown {
  private remove?: () => void;

  constructor(private readonly counts: ConnectionCounts) {}

  onApplicationBootstrap(): void {
    const facts = { name: 'trestle_connections', help: 'Connections, by provider and status; counted once a minute.' };
    this.remove = readGauge({ ...facts, labelNames: ['provider', 'status'], readAgainMs: COUNT_AGAIN_MS }, () =>
      asService(async () => (await this.counts.byStatus()).map(({ count, ...labels }) => ({ labels, value: count }))),
    );
  }

  onApplicationShutdown(): void {
    this.remove?.();
  }
}
