import '../require-node';
import { Logger } from '@nestjs/common';
import { PRODUCT_MIGRATIONS } from '../app-handlers';
import { readEnvironment } from '../config/env';
import { keepFilesPrivate } from '../config/data-folder';
import { asService, connectDatabase } from '../database';
import { exportDatabase } from '../database/transfer';
import { failureText } from '../start-failure';
import { reportOf } from './transfer-report';

const USAGE = `usage: npm run export -- FILE
  writes all that the database holds into FILE, for \`npm run import\`; stop the service first
`;

/** What is embedded, or on a server, as one file. */
async function main([path, ...others]: readonly string[]): Promise<number> {
  if (path === undefined || path.startsWith('-') || others.length > 0) {
    process.stderr.write(USAGE);
    return 2;
  }
  Logger.overrideLogger(false); // what is printed is the answer, nothing else
  const { databaseUrl, dataDir } = readEnvironment([]);
  const dataSource = await connectDatabase({ databaseUrl, dataDir, migrations: PRODUCT_MIGRATIONS });
  try {
    const sums = await exportDatabase(dataSource, path);
    process.stdout.write(`${reportOf(sums)}Exported to ${path}. It is opened by the same ENCRYPTION_KEYS`);
    process.stdout.write(databaseUrl ? '.\n' : `; where none are set: the text of ${dataDir}/secrets/encryption-keys.\n`);
    return 0;
  } finally {
    await dataSource.destroy();
  }
}

keepFilesPrivate();
asService(() => main(process.argv.slice(2))).then(
  (status) => (process.exitCode = status),
  (error: unknown) => {
    process.stderr.write(`${failureText(error)}\n`);
    process.exitCode = 1;
  },
);
