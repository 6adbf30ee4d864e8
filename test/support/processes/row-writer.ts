import { Pool } from 'pg';
import { COMMIT_WITHOUT_WAITING } from '../../../src/database/durability';
import { openEmbeddedPostgres } from '../../../src/database/embedded-postgres';

/** Inserts rows, 8 at a time in flight, and prints each number once it is committed, until killed. A third argument: none of its commits waits for the disk. */
async function main(): Promise<void> {
  const [folder = '', from = '0', waits] = process.argv.slice(2);
  const embedded = await openEmbeddedPostgres(folder);
  const pool = new Pool(embedded.poolConfig());
  await pool.query('CREATE TABLE IF NOT EXISTS written (id int PRIMARY KEY, body text NOT NULL)');
  const insert = `INSERT INTO written SELECT $1, $2 ${waits === undefined ? '' : `WHERE ${COMMIT_WITHOUT_WAITING} <> ''`}`;
  let next = Number(from);
  const write = async () => {
    for (;;) {
      const id = next++;
      await pool.query(insert, [id, 'x'.repeat(id % 2_000)]);
      process.stdout.write(`row ${id}\n`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, write));
}

void main();
