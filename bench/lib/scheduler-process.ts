import 'reflect-metadata';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asService, connectDatabase } from '../../src/database';
import { SyncHarness } from '../../src/integrations/sync/testing/sync-harness';
import { collector, type CollectedMemory } from './collected-memory';

/** A scheduler by itself, so that its memory is its own: GET /tick takes what is due. */
async function main(): Promise<void> {
  const url = process.env.DATABASE_URL ?? '';
  const dataSource = await connectDatabase({ databaseUrl: url, dataDir: '' });
  const harness = SyncHarness.on({ dataSource, kind: 'server', url, close: () => dataSource.destroy() });
  const { scheduler } = harness.process();
  const collect = collector();
  const tick = async (): Promise<TickAnswer> => {
    const from = performance.now();
    const due = await scheduler.queueDue();
    return { due, ms: performance.now() - from, memory: collect() };
  };
  const server = createServer((_request, response) => {
    tick().then(
      (answer) => response.end(JSON.stringify(answer)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, '127.0.0.1', () => process.send?.({ listening: (server.address() as AddressInfo).port }));
}

export interface TickAnswer {
  /** Connections that were due. */
  readonly due: number;
  readonly ms: number;
  readonly memory: CollectedMemory;
}

void asService(main);
