import { Logger } from '@nestjs/common';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Gauge, Registry } from 'prom-client';

/** Every metric of the product is registered here; `GET /metrics` prints it. `docs/metrics.md` lists them. */
export const metricsRegistry = new Registry();

/** The version of the package that runs. */
function versionOf(file: string): string {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  } catch {
    return 'unknown'; // bundled
  }
}

new Gauge({
  name: 'trestle_build_info',
  help: 'Always 1; which version this process runs, on which Node.',
  labelNames: ['version', 'node'],
  registers: [metricsRegistry],
}).set({ version: versionOf(join(__dirname, '..', 'package.json')), node: process.version }, 1);

/** What is read of the database is read no oftener, however many ask, ms. */
const READ_AGAIN_MS = 10_000;

/** A value as it stands, with its labels. */
export interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface GaugeFacts {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Default: of the database, every 10 s. */
  readonly readAgainMs?: number;
}

/**
 * A gauge that is read when somebody asks for the metrics. What cannot be read is left out, and told in the log: the others are worth having
 * when the database is away. One of this name from an application before is replaced.
 * @returns takes the gauge away
 */
export function readGauge(
  { name, help, labelNames, readAgainMs = READ_AGAIN_MS }: GaugeFacts,
  read: () => Promise<readonly Reading[]>,
): () => void {
  metricsRegistry.removeSingleMetric(name);
  let readAt = -Infinity;
  const gauge = new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [metricsRegistry],
    async collect() {
      if (performance.now() - readAt < readAgainMs) return;
      readAt = performance.now();
      const readings = await read().catch((error: unknown) => {
        new Logger('metrics').warn({
          msg: 'A metric could not be read',
          metric: name,
          fault: error instanceof Error ? error.message : String(error),
        });
        return [];
      });
      this.reset();
      for (const { labels, value } of readings) this.set(labels, value);
    },
  });
  return () => {
    if (metricsRegistry.getSingleMetric(name) === gauge) metricsRegistry.removeSingleMetric(name);
  };
}
