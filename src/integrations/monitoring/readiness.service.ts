import { Injectable } from '@nestjs/common';
import { Drain } from '../../http-api';
import { DatabaseHealth } from '../../database';
import { WakeUp } from '../jobs';
export type DependencyStatus = 'ok' | 'degraded' | 'down';

export interface Readiness {
  status: DependencyStatus;
  dependencies: Record<string, { status: DependencyStatus; detail?: string }>;
}

const TIMEOUT_MS = 2_000;

/** Whether this process can take requests. Without the database it cannot; without Redis it can, slower. */
@Injectable()
export class ReadinessService {
  constructor(
    private readonly database: DatabaseHealth,
    private readonly wakeUp: WakeUp,
    private readonly drain: Drain,
  ) {}

  async check(): Promise<Readiness> {
    // At once, also where the database is slow to answer: the load balancer has a second to see it.
    if (this.drain.started)
      return { status: 'down', dependencies: { process: { status: 'down', detail: 'This server is about to restart.' } } };
    const [database, queue] = await Promise.all([this.database.check(TIMEOUT_MS), this.wakeUp.status()]);
    const dependencies: Readiness['dependencies'] = {
      database: { status: database.status, ...(database.detail ? { detail: database.detail } : {}) },
      queue,
    };
    const states = Object.values(dependencies).map(({ status }) => status);
    return { status: states.includes('down') ? 'down' : states.includes('degraded') ? 'degraded' : 'ok', dependencies };
  }
}
