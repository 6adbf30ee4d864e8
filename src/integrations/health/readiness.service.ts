import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { DatabaseHealth } from '../../database';
import { Doorbell } from '../queue';

export type DependencyStatus = 'ok' | 'degraded' | 'down';

export interface Readiness {
  status: DependencyStatus;
  dependencies: Record<string, { status: DependencyStatus; detail?: string }>;
}

const TIMEOUT_MS = 2_000;

/** Whether this process can take requests. Without the database it cannot; without Redis it can, slower. */
@Injectable()
export class ReadinessService implements BeforeApplicationShutdown {
  private stopping = false;

  constructor(
    private readonly database: DatabaseHealth,
    private readonly doorbell: Doorbell,
  ) {}

  beforeApplicationShutdown(): void {
    this.stopping = true;
  }

  async check(): Promise<Readiness> {
    const [database, queue] = await Promise.all([this.database.check(TIMEOUT_MS), this.doorbell.status()]);
    const dependencies: Readiness['dependencies'] = {
      database: { status: database.status, ...(database.detail ? { detail: database.detail } : {}) },
      queue,
    };
    if (this.stopping) return { status: 'down', dependencies: { ...dependencies, process: { status: 'down', detail: 'This server is about to restart.' } } };
    if (database.status === 'down') return { status: 'down', dependencies };
    return { status: queue.status === 'ok' ? 'ok' : 'degraded', dependencies };
  }
}
