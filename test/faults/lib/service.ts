import 'reflect-metadata';
import { drainAndClose } from '../../../src/http-api/edge/drain';
import { createLogger } from '../../../src/http-api/logging';
import { createApp, listen, tellParent } from '../../../src/bootstrap';
import { readEnvironment } from '../../../src/config/env';
import { PROVIDER_SETTINGS } from '../../../src/providers';
import { EffectSinkModule } from './effect-sink.module';

/** The service with the effect sink as the product's own handler: one process of a fault run. */
async function main(): Promise<void> {
  endWithParent();
  shiftClock(Number(process.env.FAULT_CLOCK_OFFSET_MS ?? 0));
  const settings = readEnvironment(PROVIDER_SETTINGS);
  const logger = createLogger(settings);
  const app = await createApp(settings, { logger, imports: [EffectSinkModule] });
  await listen(app, settings);
  tellParent(settings);
  process.stdout.write(`ready ${process.pid}\n`);
  process.once('SIGTERM', () => void drainAndClose(app).then(() => process.exit(0)));
  for (const fault of ['unhandledRejection', 'uncaughtException'] as const) {
    process.on(fault, (err) => {
      logger.fatal({ err }, 'A failure that nobody handled');
      process.exit(1);
    });
  }
}

/** A run that was killed leaves no service behind. */
function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, 1_000).unref();
}

/** The wall clock of this process goes wrong, as that of a machine does: timers are not concerned. */
function shiftClock(offsetMs: number): void {
  if (offsetMs === 0) return;
  const now = Date.now.bind(Date);
  const Wrong = class extends Date {
    constructor(...args: unknown[]) {
      if (args.length === 0) super(now() + offsetMs);
      else super(...(args as [number]));
    }
    static override now(): number {
      return now() + offsetMs;
    }
  };
  globalThis.Date = Wrong as DateConstructor;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
