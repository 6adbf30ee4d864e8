import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { readGauge } from '../metrics';

/** The connections of this process to the server, as `GET /metrics` gives them; the embedded database has none. */
@Injectable()
export class DatabaseMetrics implements OnApplicationBootstrap, OnApplicationShutdown {
  private remove?: () => void;

  constructor(private readonly dataSource: DataSource) {}

  onApplicationBootstrap(): void {
    const { master: pool } = this.dataSource.driver as { master?: unknown };
    if (!(pool instanceof Pool)) return;
    const facts = {
      name: 'trestle_database_connections',
      help: 'Connections of this process to the database: in use, idle, and who waits for one.',
    };
    this.remove = readGauge({ ...facts, labelNames: ['state'], readAgainMs: 0 }, () => {
      const { totalCount, idleCount, waitingCount } = pool;
      const states = { in_use: totalCount - idleCount, idle: idleCount, waited_for: waitingCount };
      return Promise.resolve(Object.entries(states).map(([state, value]) => ({ labels: { state }, value })));
    });
  }

  onApplicationShutdown(): void {
    this.remove?.();
  }
}
