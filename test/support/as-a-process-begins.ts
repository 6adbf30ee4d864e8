import { __resetOutOfContextForTests as forgetFirstLogger } from 'nestjs-pino/PinoLogger';
import { metricsRegistry } from '../../src/metrics';

// A test file finds what is kept for all (docs/decisions/0023-tests-compile-once.md) as a process that has just begun does:
forgetFirstLogger(); // the library writes to the first logger that it was given
metricsRegistry.resetMetrics();
