import '../require-node';
import { Logger } from '@nestjs/common';
import { PRODUCT_MIGRATIONS } from '../app-handlers';
import { readEnvironment } from '../config/env';
import { keepFilesPrivate } from '../config/data-folder';
import { asService, connectDatabase } from '../database';
import { importDatabase, TransferFileError } from '../database/transfer';
import { makeMonthsOf } from '../integrations/audit';
import { failureText } from '../start-failure';
import { reportOf } from './transfer-report';

const USAGE = `usage: npm run import -- FILE
  reads what \`npm run export\` wrote into an empty database, and proves it equal
`;

async function main([path, ...others]: readonly string[]): Promise<number> {
  if (path === undefined || path.startsWith('-') || others.length > 0) {
    process.stderr.write(USAGE);
    return 2;
  }
  Logger.overrideLogger(false); // what is printed is the answer, nothing else
  const { databaseUrl, migrationDatabaseUrl = databaseUrl, dataDir } = readEnvironment([]);
  const dataSource = await connectDatabase({ databaseUrl: migrationDatabaseUrl, dataDir, migrations: PRODUCT_MIGRATIONS });
  try {
    const sums = await importDatabase(dataSource, path, { audit_entries: makeMonthsOf });
    process.stdout.write(`${reportOf(sums)}Imported: each table equal by count and hash.\n`);
    return 0;
  } finally {
    await dataSource.destroy();
  }
}

keepFilesPrivate();
asService(() => main(process.argv.slice(2))).then(
  (status) => (process.exitCode = status),
  (error: unknown) => {
    process.stderr.write(`${error instanceof TransferFileError ? error.message : failureText(error)}\n`);
    process.exitCode = 1;
  },
);
