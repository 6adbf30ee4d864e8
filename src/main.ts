import 'reflect-metadata';
import { drainAndClose } from './http-api/edge/drain';
import { createLogger } from './http-api/logging';
import { createApp, listen, tellParent } from './bootstrap';
import { readServiceEnvironment } from './bootstrap-environment';
import { describeStart } from './bootstrap-summary';
import { SettingsError } from './config/settings-error';
import { DataFolderLockedError } from './database';
import { keepFilesPrivate } from './config/data-folder';

/** From SIGTERM to the end at most; orchestrators usually kill after 30 s. */
const STOP_WITHIN_MS = 24_000;

async function main(): Promise<void> {
  const { settings, sandbox } = await readServiceEnvironment();
  const logger = createLogger(settings);
  const app = await createApp(settings, { logger });
  const origin = await listen(app, settings);
  sandbox?.setWebhookTarget(origin);
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
      .then(
        () => process.exit(exitCode),
        (err: unknown) => {
          logger.fatal({ err }, 'The service could not be closed in order');
          process.exit(1);
        },
      );
  };
  process.once('SIGTERM', () => stop(0, 'SIGTERM'));
  process.once('SIGINT', () => stop(0, 'SIGINT'));
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
  const clear = error instanceof SettingsError || error instanceof DataFolderLockedError;
  process.stderr.write(`${error instanceof Error ? (clear ? error.message : (error.stack ?? error.message)) : String(error)}\n`);
  process.exit(1);
});
