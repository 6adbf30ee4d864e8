import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { serverPoolConfig } from '../config/data-source-options';

/** The first half of the locks' names; the second is the sign of a process. */
const LOCKS = 0x74727374;
const ANSWER_WITHIN_MS = 5_000;
const AGAIN_AFTER_MS = 500;

const SIGNS = `SELECT lpad(to_hex(objid::bigint), 8, '0') AS sign FROM pg_locks
  WHERE locktype = 'advisory' AND classid = ${LOCKS} AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** By which a process is known to the others that share its database. */
export interface ProcessSigns {
  /** 8 hexadecimal digits; undefined while the others cannot see it. */
  readonly sign: string | undefined;
  /** Those of the processes that live; undefined where it cannot be said. */
  alive(): Promise<readonly string[] | undefined>;
}

/** Injection token of the `ProcessSigns`. */
export const PROCESS_SIGNS = Symbol('ProcessSigns');

/** The embedded database has one process: nobody else lives, and nothing has to be opened. */
export class OnlyProcess implements ProcessSigns {
  readonly sign = newSign();

  open(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  alive(): Promise<readonly string[]> {
    return Promise.resolve([this.sign]);
  }
}

/**
 * A session of its own that holds a lock as long as the process lives: the server lets go of it when the process has ended, however it
 * ended. Where only the way between the two is cut it holds on, until the server notices.
 */
export class ProcessSession implements ProcessSigns {
  private readonly number = newSign();
  private client?: Client;
  private opening?: Promise<void>;
  private again?: NodeJS.Timeout;
  private closed = false;

  constructor(private readonly databaseUrl: string) {}

  get sign(): string | undefined {
    return this.client && this.number;
  }

  /** Takes the lock, or does so when the database can be reached. */
  open(): Promise<void> {
    if (this.closed || this.client) return Promise.resolve();
    return (this.opening ??= this.take().finally(() => (this.opening = undefined)));
  }

  async alive(): Promise<readonly string[] | undefined> {
    // On the session that holds the own lock: as long as it answers, the others could hold theirs.
    const { client } = this;
    if (!client) return undefined;
    try {
      const { rows } = await client.query<{ sign: string }>(SIGNS);
      return rows.map(({ sign }) => sign);
    } catch {
      return undefined; // its end is told apart
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.again);
    await this.opening;
    await this.client?.end().catch(() => undefined);
  }

  private async take(): Promise<void> {
    const client = new Client({
      ...serverPoolConfig(),
      connectionString: this.databaseUrl,
      connectionTimeoutMillis: ANSWER_WITHIN_MS,
      query_timeout: ANSWER_WITHIN_MS,
      application_name: 'trestle-process',
    });
    const lost = () => {
      if (this.client === client) this.client = undefined;
      if (this.closed) return;
      clearTimeout(this.again);
      this.again = setTimeout(() => void this.open(), AGAIN_AFTER_MS).unref();
    };
    client.on('error', () => undefined); // its end tells
    client.once('end', lost);
    try {
      await client.connect();
      // Shared: an old session of ours that the server has not given up yet is in nobody's way.
      await client.query('SELECT pg_advisory_lock_shared($1, $2)', [LOCKS, Number.parseInt(this.number, 16) | 0]);
      this.client = client;
    } catch {
      client.removeListener('end', lost);
      await client.end().catch(() => undefined);
      lost();
    }
  }
}

function newSign(): string {
  return randomBytes(4).toString('hex');
}
