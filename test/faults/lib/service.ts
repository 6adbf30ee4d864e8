import 'reflect-metadata';
import { drainAndClose } from '../../../src/api/drain';
import { createLogger } from '../../../src/api/logging';
import { createApp } from '../../../src/bootstrap';
import { readEnvironment } from '../../../src/config/env';
import { connectDatabase } from '../../../src/database';
import { DataSource } from 'typeorm';
import { EffectSinkModule, SINK_TABLE } from './effect-sink.module';

/** The service with the effect sink as the product's own handler: one process of a fault run. */
async function main(): Promise<void> {
  const settings = readEnvironment();
  if (settings.databaseUrl) await createSink(await connectDatabase(settings));
  const logger = createLogger(settings);
  const app = await createApp(settings, { logger, imports: [EffectSinkModule] });
  if (!settings.databaseUrl) await app.get(DataSource).query(CREATE_SINK);
  await app.listen(settings.port, settings.host);
  process.stdout.write(`ready ${process.pid}\n`);
  process.once('SIGTERM', () => void drainAndClose(app).then(() => process.exit(0)));
}

const CREATE_SINK = `CREATE TABLE IF NOT EXISTS ${SINK_TABLE} (
  no bigserial, event_id text NOT NULL, connection_id uuid, object_key text, object_version numeric, pid int, at timestamptz NOT NULL DEFAULT clock_timestamp())`;

async function createSink(dataSource: DataSource & { destroy(): Promise<void> }): Promise<void> {
  await dataSource.initialize().catch(() => undefined);
  // Two processes that create it at once: one may lose the race, the table is there.
  await dataSource.query(CREATE_SINK).catch(() => undefined);
  await dataSource.destroy();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
