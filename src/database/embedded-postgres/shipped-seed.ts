import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Where the build leaves the files of an empty database (`scripts/seed-database.mjs`). Named after the version of PGlite: files of another one
 * are not taken.
 */
export function shippedSeedFile(): string {
  const { version } = JSON.parse(readFileSync(join(dirname(require.resolve('@electric-sql/pglite')), '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  return join(__dirname, `seed-${version}.tar.gz`);
}

/** For a first start: to unpack them takes half the memory and a fraction of the time that making them takes. Undefined where there is no build. */
export async function shippedSeed(): Promise<Uint8Array | undefined> {
  try {
    return await readFile(shippedSeedFile());
  } catch {
    return undefined; // then they are made
  }
}
