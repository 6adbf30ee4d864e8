import { DataFolderLock } from '../../../src/database/embedded-postgres/data-folder-lock';

/** Takes the data folder and keeps it until killed, or says why it could not. */
async function main(): Promise<void> {
  const [folder = ''] = process.argv.slice(2);
  try {
    await DataFolderLock.acquire(folder);
    console.log('owner');
    setInterval(() => undefined, 1_000);
  } catch (error) {
    console.log(`refused: ${(error as Error).message}`);
  }
}

void main();
