import { chmod, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PGlite } from '@electric-sql/pglite';
import { DataFolderLock } from './data-folder-lock';
import { PgliteStream, type EmbeddedSession } from './pglite-stream';
import { shippedSeed } from './shipped-seed';
import { asksForReady, endsReady, queryMessage } from './wire-messages';

export interface EmbeddedPostgresOptions {
  /** A dump of `dumpSeed()`; a new database starts from it. Default: in a folder, the empty one that the build made, where there is a build. */
  seed?: Uint8Array;
  /** Milliseconds a caller waits for the one connection. */
  connectionTimeoutMs: number;
}

/** What `pg.Pool`, or TypeORM's `extra`, needs to reach the embedded database. */
export interface EmbeddedPoolConfig {
  readonly stream: () => PgliteStream;
  readonly pipeline: true;
  readonly max: 1;
  readonly connectionTimeoutMillis: number;
  readonly idleTimeoutMillis: 0;
  readonly user: string;
  readonly database: string;
  readonly ssl: false;
}

// eslint-disable-next-line @typescript-eslint/no-require-imports -- a process on a server of its own never needs it
const pglite = () => require('@electric-sql/pglite') as typeof import('@electric-sql/pglite');

const DEFAULTS: EmbeddedPostgresOptions = { connectionTimeoutMs: 5_000 };
const MEMORY = 'memory://';
const RECOVERY_PAUSE_MS = 2_000;
/** For so long statements may follow one another before timers and sockets get their turn, ms. */
const TURN_MS = 5;

/** Opens the database below `dataDir` (in its folder `postgres`), or one in memory. @throws DataFolderLockedError */
export async function openEmbeddedPostgres(dataDir: string, options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  return EmbeddedPostgres.open(dataDir, { ...DEFAULTS, ...options });
}

/** Postgres inside this process: PGlite behind the ordinary `pg` driver. One connection, no network. */
export class EmbeddedPostgres {
  private sessions: Promise<void> = Promise.resolve();
  private stopped: string | undefined;
  private broken = false;
  private recoveredAt = -Infinity;
  private turnAt = -Infinity;

  private constructor(
    private database: PGlite,
    private readonly reopen: () => Promise<PGlite>,
    private readonly connectionTimeoutMs: number,
    private lock: DataFolderLock | undefined,
  ) {}

  static async open(dataDir: string, options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    if (dataDir === MEMORY) {
      const lost = () => Promise.reject(new Error('What was in memory is gone.'));
      return new EmbeddedPostgres(await openPglite(MEMORY, options.seed), lost, options.connectionTimeoutMs, undefined);
    }
    const opened: { current?: EmbeddedPostgres } = {};
    const lock = await DataFolderLock.acquire(dataDir, () => opened.current?.stop('its data folder was taken over by another process'));
    try {
      const folder = join(resolve(dataDir), 'postgres');
      const database = await openFolder(folder, options.seed);
      opened.current = new EmbeddedPostgres(database, () => openPglite(folder), options.connectionTimeoutMs, lock);
      return opened.current;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Settings of the one pool that may use this database. */
  poolConfig(): EmbeddedPoolConfig {
    return {
      stream: () => new PgliteStream(() => this.openSession()),
      pipeline: true, // as with a server
      max: 1,
      connectionTimeoutMillis: this.connectionTimeoutMs,
      idleTimeoutMillis: 0,
      user: 'postgres',
      database: 'postgres',
      ssl: false,
    };
  }

  /** The whole database as a compressed archive, for the option `seed` of another. */
  async dumpSeed(): Promise<Uint8Array> {
    await this.run([queryMessage('CHECKPOINT')]); // or whoever starts from it goes through its whole history first
    return new Uint8Array(await (await this.database.dumpDataDir('gzip')).arrayBuffer());
  }

  /** Ends the database and gives the folder free. End the pool first. */
  async close(): Promise<void> {
    if (this.stopped) return this.lock?.release();
    this.stop('it was closed');
    if (!this.broken) await this.database.close();
    await this.lock?.release();
  }

  private stop(reason: string): void {
    this.stopped ??= reason;
  }

  private async openSession(): Promise<EmbeddedSession> {
    const before = this.sessions;
    let leave: () => void = () => undefined;
    this.sessions = new Promise((resolve) => (leave = resolve));
    await before;
    let ended = false;
    let greeted = false;
    return {
      run: async (messages) => {
        // not at the greeting: the pool's timer for a new connection would count what a busy machine does in between
        if (greeted) await this.takeTurns();
        greeted = true;
        return this.run(messages);
      },
      end: async () => {
        if (ended) return;
        ended = true;
        // the backend outlives the connection: an open transaction, locks and settings must not
        if (!this.stopped && !this.broken) await this.run([queryMessage('ROLLBACK')]).catch(() => undefined);
        if (!this.stopped && !this.broken) await this.run([queryMessage('DISCARD ALL')]).catch(() => undefined);
        leave();
      },
    };
  }

  private async run(messages: Buffer[]): Promise<Buffer> {
    if (this.stopped) throw connectionFailure(`The embedded database does not answer: ${this.stopped}.`);
    if (this.broken) await this.recover();
    const parts: Buffer[] = [];
    try {
      await this.database.runExclusive(() =>
        this.database.execProtocolRawStream(Buffer.concat(messages), {
          // a view into memory that the next message overwrites
          onRawData: (data) => void parts.push(Buffer.from(data)),
        }),
      );
    } catch (cause) {
      this.broken = true;
      throw connectionFailure('The embedded database stopped in the middle of a statement.', cause);
    }
    const answer = Buffer.concat(parts);
    const last = messages.at(-1);
    if (last && asksForReady(last) && !endsReady(answer)) {
      // PGlite swallows the exceptions of a backend that gave up (a full disk, say); the caller would wait for ever
      this.broken = true;
      throw connectionFailure('The embedded database stopped in the middle of a statement.');
    }
    return answer;
  }

  /** A statement blocks the thread, and its answer comes without a turn of the event loop: a chain of them would keep all else waiting. */
  private async takeTurns(): Promise<void> {
    if (performance.now() - this.turnAt < TURN_MS) return;
    await nextTurn();
    this.turnAt = performance.now();
  }

  /** Starts a new backend on the folder, which replays the log as after a crash. Each try costs about a second of the process. */
  private async recover(): Promise<void> {
    const waitMs = this.recoveredAt + RECOVERY_PAUSE_MS - performance.now();
    if (waitMs > 0) throw connectionFailure('The embedded database is about to be started again.');
    this.recoveredAt = performance.now();
    try {
      this.database = await this.reopen();
      this.broken = false;
    } catch (cause) {
      this.recoveredAt = performance.now();
      throw connectionFailure('The embedded database could not be started again; is the disk full?', cause);
    }
  }
}

/** A first start that was cut off leaves half a database, so a marker stands beside the folder until it is whole. */
async function openFolder(folder: string, seed?: Uint8Array): Promise<PGlite> {
  const marker = `${folder}.unfinished`;
  if (await exists(marker)) await rm(folder, { recursive: true, force: true });
  const isNew = !(await exists(join(folder, 'PG_VERSION')));
  if (isNew) await writeFile(marker, 'The first start has not finished; the next one begins again.\n');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const database = await openPglite(folder, isNew ? (seed ?? (await shippedSeed())) : undefined);
  if (isNew) {
    await keepPrivate(folder);
    await rm(marker);
  }
  return database;
}

/** PGlite brings the first files with the rights that they have in its archive. What Postgres makes later is its owner's alone. */
async function keepPrivate(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600).catch(() => undefined); // some come and go
}

async function openPglite(folder: string, seed?: Uint8Array): Promise<PGlite> {
  const { PGlite } = pglite();
  return PGlite.create(folder, {
    // 16 MB: the default of 128 costs memory and a second at each start, and gains one process nothing;
    // 0: a backend that failed to start would leave this timer behind, and with it the process
    startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB', '-c', 'log_startup_progress_interval=0'],
    ...(seed && { loadDataDir: new Blob([seed as Uint8Array<ArrayBuffer>], { type: 'application/x-gzip' }) }),
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** SQLSTATE 08006, connection_failure: what a lost Postgres server looks like, so that callers need know one thing only. */
function connectionFailure(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code: '08006' });
}
