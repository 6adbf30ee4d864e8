import '../require-node';
import { PRODUCT_MIGRATIONS } from '../app-handlers';
import { readEnvironment } from '../config/env';
import { connectDatabase } from '../database';
import { keepFilesPrivate } from '../config/data-folder';
import { failureText } from '../start-failure';

/** Applies the migrations that are pending, says which, and ends: for deployments that do this before the new version starts. */
async function main(): Promise<void> {
  const { databaseUrl, migrationDatabaseUrl, dataDir } = readEnvironment([]);
  const dataSource = await connectDatabase({ databaseUrl, migrationDatabaseUrl, dataDir, migrations: PRODUCT_MIGRATIONS });
  try {
    process.stdout.write(`The database is up to date (${dataSource.migrations.length} migrations).\n`);
  } finally {
    await dataSource.destroy();
  }
}

keepFilesPrivate();
main().catch((error: unknown) => {
  process.stderr.write(`${failureText(error)}\n`);
  process.exitCode = 1;
});
