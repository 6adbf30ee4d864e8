import './require-node';
import './keep-compiled';
import 'reflect-metadata';
import { drainAndClose } from './http-api/edge/drain';
import { createLogger } from './http-api/logging';
import { createApp, listen, tellParent } from './bootstrap';
import { readServiceEnvironment } from './bootstrap-environment';
import { describeStart } from './bootstrap-summary';
import { keepFilesPrivate } from './config/data-folder';
import { failureText } from './start-failure';
import { startTracing } from './start-tracing';

/** From SIGTERM to the end at most; orchestrators usually kill after 30 s. */
const STOP_WITHIN_MS = 24_000;

async function main(): Promise<void> {
  const { settings, sandbox } = await readServiceEnvironment();
  const endTracing = startTracing(settings);
  const logger = createLogger(settings);
  const app = await createApp(settings, { logger });
  const origin = await listen(app, settings);
  sandbox?.setWebhookTarget(origin + settings.basePath);
  tellParent(settings);
  for (const line of describeStart(app, settings)) logger.info(line);

  let stopping = false;
  const stop = (exitCode: number, reason: string) => {
    if (stopping) return;
    stopping = true;
    logger.info(`Stopping: ${reason}`);
    setTimeout(() => {
      logger.fatal('Not everything ended in time; what was under way is taken up again at the next start');
      process.exit(1);
    }, STOP_WITHIN_MS).unref();
    drainAndClose(app)
      .then(() => sandbox?.stop())
      .then(() => endTracing().catch(() => undefined)) // a collector that is away holds up no end
      .then(
        () => process.exit(exitCode),
        (err: unknown) => {
          logger.fatal({ err }, 'The service could not be closed in order');
          process.exit(1);
        },
      );
  };
  // Not once: with Ctrl-C npm passes on what the terminal has sent already, and the second one would end what is being finished.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(0, signal));
  // After either, nobody knows what state the process is in. Everything that matters is in the database: end, be started again.
  process.on('unhandledRejection', (err) => {
    logger.fatal({ err }, 'A failure that nobody handled');
    stop(1, 'unhandled rejection');
  });
  process.on('uncaughtException', (err) => {
    logger.fatal({ err }, 'A failure that nobody handled');
    stop(1, 'uncaught exception');
  });
}

keepFilesPrivate();
main().catch((error: unknown) => {
  process.stderr.write(`${failureText(error)}\n`);
  process.exit(1);
});
