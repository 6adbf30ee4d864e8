import { Client } from 'pg';
import { SettingsError } from '../config/settings-error';

/** Looks of each of two clients: a pooler that goes round its sessions has changed them by then. */
const LOOKS = 3;
const CONNECT_TIMEOUT_MS = 5_000;
/** A pooler that has no session left for the second client keeps it waiting. */
const ANSWER_WITHIN_MS = 5_000;

const SHARED =
  'DATABASE_URL: leads to a pooler that gives a session of the database to several clients in turn (PgBouncer: pool_mode = transaction or ' +
  'statement). Locks, prepared statements and settings of a session are relied on; set pool_mode = session, or name the server itself';

/**
 * A start behind a pooler of transactions would seem to go well, and mix the settings and locks of sessions later.
 * Without a pooler this is one statement. @throws SettingsError
 */
export async function refuseSharedSessions(databaseUrl: string): Promise<void> {
  const one = clientOf(databaseUrl);
  const other = clientOf(databaseUrl);
  try {
    await one.connect();
    const own = await sessionOf(one);
    // A pooler tells its clients a number of its own, for cancelling.
    if (own === (one as Client & { processID?: number | null }).processID) return;
    await other.connect();
    for (let look = 0; look < LOOKS; look++) {
      const another = await sessionWithinTime(other);
      if (another === own || (await sessionOf(one)) !== own) throw new SettingsError([SHARED]);
      if (another === undefined) return;
    }
  } finally {
    await Promise.all([one.end(), other.end()].map((ended) => ended.catch(() => undefined)));
  }
}

function clientOf(databaseUrl: string): Client {
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_WITHIN_MS,
    application_name: 'trestle-start',
  });
  client.on('error', () => undefined); // the statement in hand tells
  return client;
}

async function sessionOf(client: Client): Promise<number | undefined> {
  return (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid;
}

/** Undefined where it got none in time: the first one keeps its own, or others have all. */
async function sessionWithinTime(client: Client): Promise<number | undefined> {
  try {
    return await sessionOf(client);
  } catch {
    return undefined;
  }
}
