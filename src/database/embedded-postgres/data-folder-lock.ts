import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, readdir, rename, stat, unlink, utimes } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isAlive, type ProcessIdentity } from './process-identity';

interface LockRecord extends ProcessIdentity {
  readonly released?: true;
}

export interface DataFolderLockOptions {
  /** Milliseconds between signs of life. */
  heartbeatMs: number;
  /** Milliseconds without a sign of life after which an owner on another machine or in another container counts as dead. */
  silentMs: number;
}

const DEFAULTS: DataFolderLockOptions = { heartbeatMs: 2_000, silentMs: 20_000 };
const LOCK_FILE = /^postgres\.lock\.(\d+)$/;

/** Another living process uses the data folder. */
export class DataFolderLockedError extends Error {
  override readonly name = 'DataFolderLockedError';
  constructor(
    readonly folder: string,
    readonly pid: number,
    elsewhere: boolean,
  ) {
    super(
      `The data folder ${folder} is in use by another process (pid ${pid}${elsewhere ? ' on another machine or in another container' : ''}), ` +
        'and the embedded database serves one process only. Stop that process, or give this one another DATA_DIR, ' +
        'or set DATABASE_URL to a Postgres server, which any number of processes may share.',
    );
  }
}

/**
 * One owner for a data folder. PGlite has no lock of its own, and two processes on one folder lose rows in silence.
 *
 * The lock is the file with the highest number, `postgres.lock.<n>`; whoever finds its owner dead or gone creates n + 1,
 * which only one can. The highest file is never removed, so the number never goes back and a slow rival cannot remove a
 * lock that was taken since it looked. An owner whose pid cannot be judged from here (another container on the same
 * volume) is judged by its signs of life.
 */
export class DataFolderLock {
  private heartbeat: NodeJS.Timeout | undefined;

  private constructor(
    private readonly folder: string,
    private readonly number: number,
    private readonly owner: ProcessIdentity,
  ) {}

  /** @throws DataFolderLockedError when a living process has it. */
  static async acquire(
    folder: string,
    onLost: () => void = () => undefined,
    partial: Partial<DataFolderLockOptions> = {},
  ): Promise<DataFolderLock> {
    const options = { ...DEFAULTS, ...partial };
    const path = resolve(folder);
    await mkdir(path, { recursive: true, mode: 0o700 });
    const me = await identityOf(process.pid);
    for (;;) {
      const highest = await highestNumber(path);
      if (highest > 0) await refuseIfHeld(path, highest, me, options);
      if (!(await createLock(path, highest + 1, me))) continue;
      if ((await highestNumber(path)) !== highest + 1) {
        await unlink(fileOf(path, highest + 1)).catch(() => undefined);
        continue;
      }
      const lock = new DataFolderLock(path, highest + 1, me);
      await lock.removeOlder();
      lock.beat(options.heartbeatMs, onLost);
      return lock;
    }
  }

  /** Gives the folder free; a second call does nothing. */
  async release(): Promise<void> {
    if (!this.heartbeat) return;
    clearInterval(this.heartbeat);
    this.heartbeat = undefined;
    const released: LockRecord = { ...this.owner, released: true };
    if (await this.isMine()) await replaceFile(fileOf(this.folder, this.number), JSON.stringify(released));
  }

  private beat(everyMs: number, onLost: () => void): void {
    const beat = async () => {
      if (!(await this.isMine())) {
        clearInterval(this.heartbeat);
        return onLost();
      }
      const now = new Date();
      await utimes(fileOf(this.folder, this.number), now, now);
    };
    // a beat that fails (disk full, folder away) is no loss: the next one tries again
    this.heartbeat = setInterval(() => void beat().catch(() => undefined), everyMs).unref();
  }

  private async isMine(): Promise<boolean> {
    return (await highestNumber(this.folder)) === this.number;
  }

  private async removeOlder(): Promise<void> {
    for (const number of await lockNumbers(this.folder)) {
      if (number < this.number) await unlink(fileOf(this.folder, number)).catch(() => undefined);
    }
  }
}

async function refuseIfHeld(folder: string, number: number, me: ProcessIdentity, options: DataFolderLockOptions): Promise<void> {
  const record = await readRecord(folder, number);
  if (!record || record.released) return;
  if (record.place === me.place) {
    if (await isAlive(record)) throw new DataFolderLockedError(folder, record.pid, false);
    return;
  }
  // only changes of the file's time are compared, never two machines' clocks
  const file = fileOf(folder, number);
  const before = await timeOf(file);
  for (let waited = 0; waited < options.silentMs; waited += options.heartbeatMs) {
    await sleep(options.heartbeatMs);
    if ((await readRecord(folder, number))?.released) return;
    if ((await timeOf(file)) !== before) throw new DataFolderLockedError(folder, record.pid, true);
  }
}

/** Written aside and linked, so that the lock never exists without its content; false when somebody was faster. */
async function createLock(folder: string, number: number, owner: ProcessIdentity): Promise<boolean> {
  const draft = await writeDraft(fileOf(folder, number), JSON.stringify(owner));
  try {
    await link(draft, fileOf(folder, number));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

async function replaceFile(file: string, content: string): Promise<void> {
  await rename(await writeDraft(file, content), file);
}

async function writeDraft(file: string, content: string): Promise<string> {
  const draft = `${file}.${randomUUID()}.tmp`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return draft;
}

/** Undefined when it was removed since, or holds nothing that can be read (a power cut): then nobody has it. */
async function readRecord(folder: string, number: number): Promise<LockRecord | undefined> {
  try {
    return JSON.parse(await readFile(fileOf(folder, number), 'utf8')) as LockRecord;
  } catch {
    return undefined;
  }
}

async function timeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    (found) => found.mtimeMs,
    () => undefined,
  );
}

async function highestNumber(folder: string): Promise<number> {
  return Math.max(0, ...(await lockNumbers(folder)));
}

async function lockNumbers(folder: string): Promise<number[]> {
  return (await readdir(folder)).flatMap((name) => LOCK_FILE.exec(name)?.[1] ?? []).map(Number);
}

function fileOf(folder: string, number: number): string {
  return join(folder, `postgres.lock.${number}`);
}
