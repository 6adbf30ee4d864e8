import Redis from 'ioredis';
import { connect } from 'node:net';
import { Client } from 'pg';
import type { Services } from './benchmark';

/** The Postgres and Redis named by TEST_DATABASE_URL and TEST_REDIS_URL, or those that answer on their usual loopback ports. */
export async function reachable(): Promise<Services> {
  const [databaseUrl, redisUrl] = await Promise.all([
    usable(process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres', 5432),
    usable(process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379', 6379),
  ]);
  return { databaseUrl, redisUrl };
}

/** What runs there, by number. */
export async function versions({ databaseUrl, redisUrl }: Services): Promise<{ postgres?: string; redis?: string }> {
  const seen: { postgres?: string; redis?: string } = {};
  if (databaseUrl) {
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    const { rows } = await client.query<{ version: string }>(`SELECT split_part(current_setting('server_version'), ' ', 1) AS version`);
    await client.end();
    seen.postgres = rows[0]?.version;
  }
  if (redisUrl) {
    const redis = new Redis(redisUrl);
    seen.redis = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1];
    redis.disconnect();
  }
  return seen;
}

async function usable(url: string, defaultPort: number): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  const open = await new Promise<boolean>((resolve) => {
    const socket = connect(Number(port || defaultPort), hostname);
    socket.setTimeout(2_000);
    socket.once('connect', () => resolve(true));
    for (const event of ['error', 'timeout'] as const) socket.once(event, () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
  return open ? url : undefined;
}
