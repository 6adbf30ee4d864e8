import type { INestApplication } from '@nestjs/common';
import type { Server } from 'node:http';

/** Whether this process is on its way out. Asked on every request. */
export class Drain {
  private since: number | undefined;

  get started(): boolean {
    return this.since !== undefined;
  }

  start(): void {
    this.since ??= performance.now();
  }
}

export interface DrainTimes {
  /** How long the load balancer gets to see that we are not ready, ms. */
  readonly noticeMs: number;
  /** How long what is under way gets to finish, ms. */
  readonly finishMs: number;
}

const DEFAULTS: DrainTimes = { noticeMs: 1_000, finishMs: 10_000 };

/**
 * Ends the service without losing an answer: not ready → nothing new → what is under way finishes → the parts are closed.
 * HTTP ends before the parts do, so that no request meets a part that is already closed.
 */
export async function drainAndClose(app: INestApplication, times: Partial<DrainTimes> = {}): Promise<void> {
  const { noticeMs, finishMs } = { ...DEFAULTS, ...times };
  app.get(Drain).start();
  const server = app.getHttpServer() as Server;
  await pause(noticeMs);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const sweep = setInterval(() => server.closeIdleConnections(), 100);
  await Promise.race([closed, pause(finishMs)]);
  clearInterval(sweep);
  server.closeAllConnections(); // streams that would never end by themselves
  await app.close();
}

/** The listening server keeps the process alive; the timer need not. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref());
}
