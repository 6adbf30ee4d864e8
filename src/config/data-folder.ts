import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** For whoever is not the owner. */
const OTHERS = 0o077;

/** What this process writes is its user's alone, whatever the shell would allow. For processes of our own: a host application decides for itself. */
export function keepFilesPrivate(): void {
  process.umask(OTHERS);
}

/** What keeps the data folder from being this process's alone: a sentence; undefined where nothing does, or where it is not there yet and can be made. */
export function folderFault(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return makingFault(path);
  if (!found.isDirectory()) return `DATA_DIR: ${path} is a file; name a folder`;
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return `DATA_DIR: ${path} cannot be written by this user; give it the folder (chown), or name another one`;
  }
  // On Windows the bits say nothing; its folders have lists of their own.
  if (process.platform === 'win32' || (found.mode & OTHERS) === 0) return undefined;
  const mode = (found.mode & 0o777).toString(8).padStart(3, '0');
  return `DATA_DIR: ${path} is open to other users of this machine (mode ${mode}); it holds secrets and personal data: chmod 700 ${path}, or name a folder inside of it, which is then made`;
}

/** The nearest folder above that is there decides whether it can be made. */
function makingFault(path: string): string | undefined {
  let above = dirname(path);
  while (above !== dirname(above) && !statSync(above, { throwIfNoEntry: false })) above = dirname(above);
  try {
    accessSync(above, constants.W_OK | constants.X_OK);
    return undefined;
  } catch {
    return `DATA_DIR: ${path} is not there, and this user cannot make it in ${above}; make it (chown, chmod 700), or name another folder`;
  }
}
