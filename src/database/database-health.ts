import { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { serverPoolConfig } from '../config/data-source-options';
import { asService } from './caller-scope';
import { diskWasFullWithin } from './storage-error';

/** So long after the last refusal it is told. */
const DISK_FULL_TOLD_MS = 15_000;

export interface DatabaseHealthReport {
  /** Degraded: it answers, and cannot store. */
  readonly status: 'ok' | 'degraded' | 'down';
  readonly kind: 'embedded' | 'server';
  readonly durationMs: number;
  /** Why it is not ok, for an operator; no address, no password. */
  readonly detail?: string;
}

/** Whether the database answers. On a server it asks over a connection of its own, so a full pool does not look like a dead database. */
export class DatabaseHealth {
  private readonly pool: Pool | undefined;

  constructor(
    private readonly dataSource: DataSource,
    databaseUrl?: string,
  ) {
    if (!databaseUrl) return;
    this.pool = new Pool({ ...serverPoolConfig({ databasePoolMax: 1 }), connectionString: databaseUrl });
    this.pool.on('error', () => undefined); // an idle connection that died; the next check gets a new one
  }

  /** @param timeoutMs how long the database may take to answer; default 2000 */
  async check(timeoutMs = 2_000): Promise<DatabaseHealthReport> {
    const started = performance.now();
    const report = (status: DatabaseHealthReport['status'], detail?: string): DatabaseHealthReport => ({
      status,
      kind: this.pool ? 'server' : 'embedded',
      durationMs: Math.round(performance.now() - started),
      ...(detail && { detail }),
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<DatabaseHealthReport>((resolve) => {
      timer = setTimeout(() => resolve(report('down', `The database did not answer within ${timeoutMs} ms.`)), timeoutMs).unref();
    });
    const asked = this.ask().then(
      () =>
        diskWasFullWithin(DISK_FULL_TOLD_MS)
          ? report('degraded', 'The disk of the database is full: nothing can be stored.')
          : report('ok'),
      () => report('down', 'The database cannot be reached.'),
    );
    return Promise.race([asked, late]).finally(() => clearTimeout(timer));
  }

  async close(): Promise<void> {
    if (this.pool && !this.pool.ended && !this.pool.ending) await this.pool.end();
  }

  private async ask(): Promise<void> {
    if (this.pool) await this.pool.query('SELECT 1');
    else await asService(() => this.dataSource.query<object[]>('SELECT 1'));
  }
}
