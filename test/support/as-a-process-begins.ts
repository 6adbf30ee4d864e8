import { ConsoleLogger, Logger } from '@nestjs/common';
import { __resetOutOfContextForTests as forgetFirstLogger } from 'nestjs-pino/PinoLogger';
import { Counter, Histogram } from 'prom-client';
import { metricsRegistry } from '../../src/metrics';

// A test file finds what is kept for all (docs/decisions/0023-tests-keep-modules.md) as a process that has just begun does:
Logger.overrideLogger(new ConsoleLogger());
forgetFirstLogger(); // the library writes to the first logger that it was given
for (const metric of metricsRegistry.getMetricsAsArray() as unknown[])
  if (metric instanceof Counter || metric instanceof Histogram) metric.reset();
jest.setTimeout(120_000); // another file's own limit stays otherwise
