import { asService, connectDatabase } from '../../../src/database';
import { MIGRATIONS } from '../../../src/database/migrations';

/** One migrator: waits for the word that all may begin, migrates, and says which versions stand in the database afterwards. */
async function main(): Promise<void> {
  const { databaseUrl, startAt } = JSON.parse(process.argv[2] ?? '{}') as { databaseUrl: string; startAt: number };
  await new Promise((resolve) => setTimeout(resolve, startAt - Date.now()));
  const dataSource = await connectDatabase({ dataDir: '', databaseUrl });
  const rows = await dataSource.query<{ name: string }[]>('SELECT name FROM migrations ORDER BY id');
  await dataSource.destroy();
  process.stdout.write(`done ${rows.length} of ${MIGRATIONS.length}\n`);
}

asService(main).catch((error: unknown) => {
  process.stdout.write(`failed ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
