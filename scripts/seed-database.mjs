// Makes the files of an empty embedded database, once for all first starts: `initdb` takes 400 MB more than the service itself needs.
// They hold no table and no key; what Postgres makes of them is the same on every machine, since PGlite is one WebAssembly.
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { openEmbeddedPostgres } = require('../dist/database/embedded-postgres/index.js');
const { shippedSeedFile } = require('../dist/database/embedded-postgres/shipped-seed.js');

const file = shippedSeedFile();
if (!existsSync(file)) {
  const database = await openEmbeddedPostgres('memory://');
  const draft = `${file}.${process.pid}`; // two builds may go on at once
  writeFileSync(draft, await database.dumpSeed());
  await database.close();
  renameSync(draft, file);
}
